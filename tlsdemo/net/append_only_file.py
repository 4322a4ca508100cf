"""A file that lines are appended to, until it is full or cannot be written any more.

Theory of operation.  What is written down of a service must not harm it.  Lines are gathered and
written together; whatever the system answers, the service is not told, but its log is, once, and
from then on nothing is written.  The file always ends with a whole line.
"""

from __future__ import annotations

import contextlib
import enum
import os
import stat
from pathlib import Path

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

GATHERED = 1 << 16
"""Bytes that are gathered at the most before they are written."""

_log = Logger(namespace="tlsdemo")


class CannotOpen(Exception):
    """A file cannot be opened; the text is one line that says which and why."""


class _State(enum.Enum):
    OPEN = "open"
    STOPPED = "stopped"
    CLOSED = "closed"


class AppendOnlyFile:
    """Appends to ``path``, which it makes for its owner alone (mode 0600); raises CannotOpen.

    ``option``: the command line's name for it, for messages.  ``most``: bytes that the file may
    grow to, 0 for any number.  ``wait``: seconds that a line may wait for others, 0 to write each
    at once.
    """

    def __init__(
        self, option: str, path: Path, clock: IReactorTime, most: int = 0, wait: float = 1.0
    ) -> None:
        self.path = path.expanduser().absolute()
        self._option = option
        self._clock = clock
        self._most = most
        self._wait = wait
        self._lines: list[bytes] = []
        self._gathered = 0
        self._later: IDelayedCall | None = None
        self._state = _State.OPEN
        self._file, self._size = self._open()

    def _open(self) -> tuple[int, int]:
        # Without O_NONBLOCK, a pipe that nobody reads would hold us up here and for ever.
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            file = os.open(self.path, how, 0o600)
        except OSError as error:
            raise CannotOpen(f"{self._name} cannot be opened: {error.strerror}") from None
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return file, 0
        if status.st_mode & 0o077:
            os.close(file)
            mode = stat.S_IMODE(status.st_mode)
            raise CannotOpen(
                f"{self._name} is open to others than its owner (mode {mode:04o}); "
                "chmod 600 it, or name another file"
            )
        return file, status.st_size

    @property
    def _name(self) -> str:
        # The repr, because a newline in a path must not make two lines of the message.
        return f"--{self._option}={str(self.path)!r}"

    @property
    def is_open(self) -> bool:
        """Whether lines are still written."""
        return self._state is _State.OPEN

    def append(self, line: bytes) -> None:
        """Write ``line``, which ends with a newline, sooner or later."""
        if self._state is not _State.OPEN:
            return
        if self._most and self._size + self._gathered + len(line) > self._most:
            self.flush()
            self._stop(f"it has reached --{self._option}-max, which is {self._most:,} bytes")
            return
        self._lines.append(line)
        self._gathered += len(line)
        if self._gathered >= GATHERED or not self._wait:
            self.flush()
        elif self._later is None:
            self._later = self._clock.callLater(self._wait, self._waited)

    def _waited(self) -> None:
        self._later = None
        self.flush()

    def flush(self) -> None:
        """Write what has been gathered."""
        data = b"".join(self._lines)
        self._forget()
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            # A line that is cut off would spoil the file for whoever reads it; a device has none.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            self._stop(f"it cannot be written: {error.strerror}")
        else:
            self._size += len(data)

    def _forget(self) -> None:
        self._lines.clear()
        self._gathered = 0
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _stop(self, why: str) -> None:
        if self._state is _State.OPEN:
            self._state = _State.STOPPED
            _log.error("{name} is written no more: {why}", name=self._name, why=why)

    def close(self) -> None:
        """Write what has been gathered, and close; may be called again."""
        if self._state is _State.OPEN:
            self.flush()
        if self._state is not _State.CLOSED:
            self._state = _State.CLOSED
            os.close(self._file)
