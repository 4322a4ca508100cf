"""The stream of a log, which may stop being writable while a server runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO


class LogStream:
    """Writes to ``stream``; while that fails, only counts what is written.

    A log must never disturb the service.  ``complain`` is called with the reason, once for each
    time that it stops being writable.  When it is writable again, its next line says how many may
    be missing.
    """

    def __init__(self, stream: TextIO, complain: Callable[[str], object]) -> None:
        self._stream = stream
        self._complain = complain
        self._missing = 0
        self._why = ""

    def write(self, text: str) -> None:
        """Write ``text``, which ends a line, at once."""
        try:
            if self._missing:
                # On a line of its own, because part of one may have been written.
                self._stream.write(f"\n{self._missing} entries may be missing here: {self._why}\n")
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as problem:
            # ValueError: rotating it has closed it, and could not open it again.
            self._missing += 1
            self._why = getattr(problem, "strerror", None) or str(problem)
            if self._missing == 1:
                self._complain(self._why)
        else:
            self._missing = 0

    def flush(self) -> None:
        """Do nothing: `write` has done it."""
