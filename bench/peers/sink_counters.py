"""The counters of the sink, in a file that two processes map into their memory."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

ECHO = b"?"
"""The first byte of a connection that wants everything back."""

LAYOUT = struct.Struct("=qqqd")


@dataclass(frozen=True)
class SinkCounters:
    """``accepted`` connections, those ``open`` now, bytes ``received``, and the time of the last.

    The time is that of CLOCK_MONOTONIC, which all processes share.
    """

    accepted: int
    open: int
    received: int
    last: float


class CountersFile:
    """The file, on the side that reads."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(LAYOUT.size))
        with path.open("r+b") as opened:
            self._mapped = mmap.mmap(opened.fileno(), LAYOUT.size)
        self.path = path

    def read(self) -> SinkCounters:
        """Return the present counters."""
        return SinkCounters(*LAYOUT.unpack_from(self._mapped))

    @property
    def received(self) -> int:
        """The bytes received so far."""
        return self.read().received

    def close(self) -> None:
        """Unmap the file."""
        self._mapped.close()
