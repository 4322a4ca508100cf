"""The style sheets of the HTML pages, which are data files next to this module."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def stylesheet(name: str) -> str:
    """Return the text of a style sheet of this package, such as ``sequence_diagram.css``."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
