"""A file to which lines are appended until it is full or writing fails.

Theory of operation.  Recording what a service does must never disturb the service.  Lines are
buffered and written together.  If that fails, no exception is raised: the error is logged once, and
later lines are dropped.  The file always ends with a complete line.
"""

from __future__ import annotations

import contextlib
import enum
import os
from pathlib import Path

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.private_file import open_private

BUFFER_SIZE = 1 << 16
"""Bytes that are buffered before they are written."""

_log = PrintableLogger(namespace="tlsdemo")


class _State(enum.Enum):
    OPEN = "open"
    STOPPED = "stopped"
    CLOSED = "closed"


class AppendOnlyFile:
    """Appends to ``path``, which only this user can read, see `open_private`; raises CannotOpen.

    ``option``: the command line option that names the file, for messages.  ``max_size``: bytes that
    the file may have, 0 for no limit.  ``max_delay``: seconds that a line may be buffered, 0 to
    write each line at once.

    ``problem``: why nothing is written any more, in one line; empty while all is well.
    """

    def __init__(
        self,
        option: str,
        path: Path,
        clock: IReactorTime,
        max_size: int = 0,
        max_delay: float = 1.0,
    ) -> None:
        self.path = path.expanduser().absolute()
        self._option = option
        self._clock = clock
        self._max_size = max_size
        self._max_delay = max_delay
        self._lines: list[bytes] = []
        self._buffered = 0
        self._timer: IDelayedCall | None = None
        self._state = _State.OPEN
        self.problem = ""
        self._file, self._size = open_private(self._name, self.path)

    @property
    def _name(self) -> str:
        # The repr, because a newline in a path must not make two lines of the message.
        return f"--{self._option}={str(self.path)!r}"

    @property
    def is_open(self) -> bool:
        """Whether lines are still accepted."""
        return self._state is _State.OPEN

    @property
    def is_empty(self) -> bool:
        """Whether the file had nothing in it, and nothing has been appended."""
        return not (self._size or self._buffered)

    def append(self, line: bytes) -> None:
        """Write ``line``, which ends with a newline, now or later."""
        if self._state is not _State.OPEN:
            return
        if self._max_size and self._size + self._buffered + len(line) > self._max_size:
            self.flush()
            self._stop(f"its size would exceed --{self._option}-max, {self._max_size:,} bytes")
            return
        self._lines.append(line)
        self._buffered += len(line)
        if self._buffered >= BUFFER_SIZE or not self._max_delay:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.callLater(self._max_delay, self._delay_over)

    def _delay_over(self) -> None:
        self._timer = None
        self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        data = b"".join(self._lines)
        self._clear()
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            # Remove an incomplete line, which readers could not parse.  A device has no length.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            self._stop(f"it cannot be written: {error.strerror}")
        else:
            self._size += len(data)

    def _clear(self) -> None:
        self._lines.clear()
        self._buffered = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop(self, why: str) -> None:
        if self._state is _State.OPEN:
            self._state = _State.STOPPED
            self.problem = f"{self._name} is not written any more: {why}"
            _log.error("{problem}", problem=self.problem)

    def close(self) -> None:
        """Write what is buffered, and close the file; may be called again."""
        if self._state is _State.OPEN:
            self.flush()
        if self._state is not _State.CLOSED:
            self._state = _State.CLOSED
            os.close(self._file)
