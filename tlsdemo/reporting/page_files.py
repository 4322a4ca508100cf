"""The style sheets and scripts of the HTML pages, which are data files next to this module.

uPlot (https://github.com/leeoniya/uPlot, version 1.6.32, MIT) draws the charts: 51 KB, so that a
page can contain it.  Its licence is beside it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def data_file(name: str) -> str:
    """Return the text of a data file of this package, such as ``uPlot.iife.min.js``."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
