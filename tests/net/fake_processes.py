"""Processes that exist in memory only, controlled by a test."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure


class FakeProcess:
    """The transport of a process protocol.  ``exit`` and ``end`` are the two steps of its end."""

    def __init__(
        self, protocol: Any, executable: str, arguments: list[str], env: Any, path: str | None
    ) -> None:
        self.protocol = protocol
        self.executable = executable
        self.arguments = arguments
        self.env = env
        self.path = path
        self.descriptors: Any = None
        self.pid: int | None = 4711
        self.written = b""
        self.signals: list[str] = []
        self.stdin_closed = False
        self.pipes_closed = False
        self._reason = Failure(ProcessDone(0))

    def write(self, data: bytes) -> None:
        assert self.pid is not None, "written to a process that has exited"
        self.written += data

    def closeStdin(self) -> None:  # noqa: N802
        self.stdin_closed = True

    def signalProcess(self, signal: str) -> None:  # noqa: N802
        if self.pid is None:
            raise ProcessExitedAlready
        self.signals.append(signal)

    def loseConnection(self) -> None:
        self.pipes_closed = True
        if self.pid is None:
            self.end()

    def exit(self, status: int = 0, signal: int | None = None) -> None:
        """Be reaped, with the pipes still open."""
        self.pid = None
        if status or signal is not None:
            exit_code = status if signal is None else None
            self._reason = Failure(ProcessTerminated(exit_code, signal))
        self.protocol.processExited(self._reason)

    def end(self) -> None:
        """Have the pipes reach their end."""
        self.protocol.processEnded(self._reason)

    def die(self, last_words: bytes = b"", status: int = 0, signal: int | None = None) -> None:
        """Print something on standard error, and end."""
        if last_words:
            self.protocol.errReceived(last_words)
        self.exit(status, signal)
        self.end()


class FakeProcessStarter:
    """The part of a reactor that starts processes, which it keeps in ``processes``."""

    process_type = FakeProcess

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[Any] = []

    def spawnProcess(  # noqa: N802
        self,
        protocol: Any,
        executable: str,
        args: list[str],
        env: dict[str, str],
        path: str | None = None,
        childFDs: Any = None,  # noqa: N803
    ) -> FakeProcess:
        process = self.process_type(protocol, executable, args, env, path)
        process.descriptors = childFDs
        self.processes.append(process)
        protocol.makeConnection(process)
        return process


class FakeProcessReactor(FakeProcessStarter, Clock):
    """A clock that starts processes."""
