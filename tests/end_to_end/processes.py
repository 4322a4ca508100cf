"""Real commands in real processes: each is waited for, not for ever, and none is left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tlsdemo.net.child_process import environment

TIMEOUTS = 60.0
"""Seconds after which a process is killed, which no test should ever need."""

TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")


class Running:
    """A process that has been started; all of what it says that was waited for is in ``said``.

    It is read all the time: a server that logs to a pipe stands still once that is full.
    ``in_foreground``: with what it starts a group of its own, as a shell's command on a terminal.
    """

    def __init__(self, arguments: Iterable[str], home: Path, in_foreground: bool) -> None:
        self.said = ""
        self._process = subprocess.Popen(
            list(arguments), cwd=home, env=environment(), text=True,
            start_new_session=in_foreground,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watchdog = threading.Timer(TIMEOUTS, self._process.kill)
        self._watchdog.start()
        self.pid = self._process.pid

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line in which ``pattern`` is found."""
        while (line := self._lines.get()) is not None:
            self.said += line
            if found := re.search(pattern, line):
                return found
        self._lines.put(None)
        raise AssertionError(f"it never said {pattern!r}, but:\n{self.said}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def signal_all(self, number: int) -> None:
        """Send a signal as a terminal would: to all processes of the foreground."""
        os.killpg(self.pid, number)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def ends(self) -> int:
        """Wait for its end, and return its status; a signal's number is negative."""
        while (line := self._lines.get()) is not None:
            self.said += line
        self._lines.put(None)
        return self.waits()

    def waits(self) -> int:
        """Wait for its end, and return its status, without taking what it says."""
        return self._process.wait(TIMEOUTS)

    def clean_up(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait(TIMEOUTS)
        # Its own children may hold the pipe, though not for ever.
        self._reader.join(TIMEOUTS)
        for close in (self._process.stdin, self._process.stdout):
            assert close is not None
            close.close()


class ProcessCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.certs = f"--certs={certificates().authority.parent.parent}"

    def start(self, *arguments: str, in_foreground: bool = True) -> Running:
        running = Running(arguments, self.home, in_foreground)
        self.addCleanup(running.clean_up)
        return running

    def twistd(self, *arguments: str) -> Running:
        return self.start(*TWISTD, *arguments)

    def server(self, *options: str) -> tuple[Running, str]:
        """Start a server and return it with the endpoint string that leads to it."""
        server = self.twistd(
            *("-n", "--pidfile=", "tlsdemo", "--listen=tcp:0:interface=127.0.0.1"),
            *("--status=unix:status", self.certs, *options),
        )
        return server, server.says(r"listening on (tcp:127\.0\.0\.1:\d+);")[1]

    def summary(self, server: Running) -> str:
        """End a server, and return what it sums up."""
        server.signal(signal.SIGTERM)
        server.ends()
        return "\n".join(re.findall(r"summary: .*", server.said))


def port_of(where: str) -> int:
    return int(where.rpartition(":")[2])


def greet(where: str) -> None:
    """Connect and close, which a server whose reactor runs takes note of."""
    socket.create_connection(("127.0.0.1", port_of(where)), timeout=TIMEOUTS).close()


class Watched:
    """Processes that are not our children, as they run now."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._handles = {os.pidfd_open(pid): pid for pid in pids}

    def __len__(self) -> int:
        return len(self._handles)

    def still_run(self) -> list[int]:
        """Wait until all have ended; return those that do not within our patience."""
        poll = select.poll()
        for handle in self._handles:
            poll.register(handle, select.POLLIN)
        waiting = dict(self._handles)
        while waiting and (ended := poll.poll(TIMEOUTS * 1000)):
            for handle, _ in ended:
                poll.unregister(handle)
                del waiting[handle]
        return list(waiting.values())

    def signal(self, number: int) -> None:
        for handle in self._handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)

    def end(self) -> None:
        self.signal(signal.SIGKILL)
        for handle in self._handles:
            os.close(handle)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
