"""A child process under a reactor: started, fed, read, bounded in time, and always reaped.

Every process that tlsdemo starts while a reactor runs is a `ChildProcess`.  Without a reactor there
is `tlsdemo.net.command.run_command`, which blocks.

Theory of operation.  A process is over when it has been reaped *and* its pipes have been read to
their end; only then is its output complete, and only then does `ChildProcess.wait` fire.  The two
can be far apart: whatever the child started itself has inherited the pipes and may keep them open.
So SIGKILL, which is the last resort, also closes our ends of the pipes.

Nothing here keeps a child from outliving a parent that is killed.  That takes the child's help: it
ends when its standard input does, as ``tlsdemo.loadgen.worker`` and ``tlsdemo.cli.twistd_child``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import tlsdemo

KEEP = 1 << 14
"""Bytes of output that are kept for error messages, unless the caller asks for another number."""

STOP_WITHIN = 10.0
"""Seconds between SIGTERM and SIGKILL, unless the caller asks for another number."""

LONGEST_LINE = 1 << 26
"""Bytes of a line that are kept, unless the caller asks for another number."""

Receiver = Callable[[bytes], object]


def environment() -> dict[str, str]:
    """Return our environment, changed so that a Python child imports this very package."""
    package = str(Path(tlsdemo.__file__).parent.parent)
    paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def split_lines(receive_line: Receiver, longest: int = LONGEST_LINE) -> Receiver:
    """Return a receiver of chunks that calls ``receive_line`` with each line, without its newline.

    Of a line with more than ``longest`` bytes, the rest is dropped: whoever writes without a
    newline costs no more memory than that.  A last line without a newline is dropped.
    """
    unfinished: list[bytes] = []
    room = longest

    def keep(part: bytes) -> None:
        nonlocal room
        if part and room:
            unfinished.append(part[:room])
            room -= len(unfinished[-1])

    def receive(data: bytes) -> None:
        nonlocal room
        *lines, rest = data.split(b"\n")
        for line in lines:
            keep(line)
            whole = b"".join(unfinished)
            unfinished.clear()
            room = longest
            receive_line(whole)
        keep(rest)

    return receive


@contextmanager
def _signals_blocked(signals: Collection[signal.Signals]) -> Iterator[None]:
    """Block signals, which a process that is started meanwhile inherits; see sigprocmask(2)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ChildProcess:
    """Starts a program and supervises it until it has ended.

    Args:
        reactor: Provides IReactorProcess and IReactorTime.
        arguments: The program, looked for on the PATH, and its arguments.
        env: The environment, `environment()` by default.
        cwd: The working directory, ours by default.
        descriptors: File descriptors that the child gets as 3, 4 and so on; they stay open here.
        stdout: Called with each chunk that is read from standard output.  By default the last
            ``keep`` bytes of it are kept in `output`.
        stderr: The same for standard error.
        keep: How many bytes `output` has at most.
        blocked: Signals that the program begins with blocked: they wait until it unblocks them.
        timeout: Seconds after which the process is killed, 0 for never; `timed_out` is then set.

    Raises OSError if the system cannot start the program.

    Attributes:
        pid: The process ID; it may belong to another process once this one has ended.
        returncode: None while the process runs, then its exit status, or the negative number of the
            signal that ended it, as in subprocess.Popen.
        timed_out: Whether it was killed because of ``timeout``.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        descriptors: Sequence[int] = (),
        stdout: Receiver | None = None,
        stderr: Receiver | None = None,
        keep: int = KEEP,
        blocked: Collection[signal.Signals] = (),
        timeout: float = 0.0,
    ) -> None:
        self._reactor = reactor
        self._keep = keep
        self._output = b""
        self._exited = False
        self._killed = False
        self._timers: list[IDelayedCall] = []
        self._waiting: list[Deferred[int]] = []
        self.returncode: int | None = None
        self.timed_out = False
        protocol = _Protocol(self, stdout or self._store, stderr or self._store)
        with _signals_blocked(blocked):
            self._transport = reactor.spawnProcess(
                protocol,
                arguments[0],
                list(arguments),
                env=dict(environment() if env is None else env),
                path=None if cwd is None else str(cwd),
                childFDs={0: "w", 1: "r", 2: "r", **dict(enumerate(descriptors, start=3))},
            )
        self.pid: int = self._transport.pid
        if timeout:
            self._timers.append(reactor.callLater(timeout, self._time_out))

    # Output.

    def _store(self, data: bytes) -> None:
        self._output = (self._output + data)[-self._keep :]

    @property
    def output(self) -> str:
        """The end of all output that no receiver was given for."""
        return self._output.decode(errors="replace")

    @property
    def last_line(self) -> str:
        """The last line of `output` that is not blank; empty if there is none."""
        return self.output.strip().rpartition("\n")[2]

    @property
    def error_message(self) -> str:
        """One line that says why the process ended: its last line, or else its return code."""
        if self.last_line or self.returncode is None:
            return self.last_line
        if self.returncode >= 0:
            return f"exited with status {self.returncode}"
        return f"ended by signal {-self.returncode} ({signal.strsignal(-self.returncode)})"

    # Input and signals; all of them do nothing once the process has exited.

    def write(self, data: bytes) -> None:
        """Write to standard input."""
        if not self._exited:
            self._transport.write(data)

    def close_stdin(self) -> None:
        """Close standard input."""
        if not self._exited:
            self._transport.closeStdin()

    def send_signal(self, name: str) -> None:
        """Send a signal, named without its SIG."""
        if not self._exited:
            with suppress(ProcessExitedAlready):
                self._transport.signalProcess(name)

    def kill(self) -> None:
        """Send SIGKILL, and read no more than what has been read when the process is reaped."""
        if self.returncode is None:
            self._killed = True
            self.send_signal("KILL")
            if self._exited:
                self._transport.loseConnection()

    # The end.

    def stop(self, within: float = STOP_WITHIN) -> Deferred[int]:
        """Send SIGTERM, and SIGKILL after ``within`` seconds; fires as `wait` does."""
        if self.returncode is None:
            self.send_signal("TERM")
            self._timers.append(self._reactor.callLater(within, self.kill))
        return self.wait()

    def wait(self) -> Deferred[int]:
        """Return a Deferred that fires with `returncode` when the process has ended."""
        waiting: Deferred[int] = Deferred()
        if self.returncode is None:
            self._waiting.append(waiting)
        else:
            waiting.callback(self.returncode)
        return waiting

    def _time_out(self) -> None:
        self.timed_out = True
        self.kill()

    def _process_exited(self) -> None:
        self._exited = True
        if self._killed:
            self._transport.loseConnection()

    def _process_ended(self, reason: Any) -> None:
        self._exited = True
        self.returncode = reason.exitCode if reason.signal is None else -reason.signal
        timers, self._timers = self._timers, []
        for timer in timers:
            if timer.active():
                timer.cancel()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(self.returncode)


class _Protocol(ProcessProtocol):
    """Connects a `ChildProcess` to the reactor."""

    def __init__(self, child: ChildProcess, stdout: Receiver, stderr: Receiver) -> None:
        self._child = child
        self._stdout = stdout
        self._stderr = stderr

    def outReceived(self, data: bytes) -> None:
        self._stdout(data)

    def errReceived(self, data: bytes) -> None:
        self._stderr(data)

    def processExited(self, reason: Failure) -> None:
        self._child._process_exited()

    def processEnded(self, reason: Failure) -> None:
        self._child._process_ended(reason.value)
