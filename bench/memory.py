"""The memory of another process.  Linux only."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from bench.cpu import family


def anonymous(pid: int) -> int:
    """Return the bytes of anonymous pages of a process and of its descendants: what is their own.

    What has ended meanwhile has none.
    """
    total = 0
    with suppress(OSError):
        for each in family(pid):
            for line in Path(f"/proc/{each}/status").read_text().splitlines():
                if line.startswith("RssAnon:"):
                    total += int(line.split()[1]) * 1024
    return total
