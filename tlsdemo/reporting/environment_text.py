"""PURE.  The description of an environment that was built for a comparison of versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from tlsdemo.reporting.run_text import megabytes, versions_text


def environment_lines(
    requirements: Sequence[str], versions: Mapping[str, str], size: int, used: datetime
) -> Iterator[str]:
    """Return lines with the requirements, the versions, the size in bytes and the last use."""
    yield f"  requirements: {' '.join(requirements)}"
    yield f"  versions: {versions_text(versions)}"
    yield f"  {megabytes(size)}, last used {used:%Y-%m-%d %H:%M}"
