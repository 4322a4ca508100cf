"""Real commands in real processes, with a timeout, and killed at the end of a test."""

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
import time
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tlsdemo.net.child_process import environment

TIMEOUT = 60.0
"""Seconds after which a process is killed; no test needs that long."""

TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")


class RunningCommand:
    """A running process; ``output`` has the lines that have been waited for.

    A thread reads the pipe all the time, because a server blocks once the pipe of its log is full.
    ``new_session``: whether it leads a process group, as a command does that a shell starts.
    """

    def __init__(
        self, arguments: Iterable[str], home: Path, new_session: bool, stdin: int = subprocess.PIPE
    ) -> None:
        self.output = ""
        self._process = subprocess.Popen(
            list(arguments), cwd=home, env=environment(), text=True,
            start_new_session=new_session,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watchdog = threading.Timer(TIMEOUT, self._process.kill)
        self._watchdog.start()
        self.pid = self._process.pid

    def wait_for_line(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches ``pattern``, and return the match."""
        while (line := self._lines.get()) is not None:
            self.output += line
            if found := re.search(pattern, line):
                return found
        self._lines.put(None)
        raise AssertionError(f"there was no line with {pattern!r}, but:\n{self.output}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def signal_all(self, number: int) -> None:
        """Send a signal to its process group, as a terminal does."""
        os.killpg(self.pid, number)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self) -> int:
        """Wait for its end, and return its status; the number of a signal is negative."""
        while (line := self._lines.get()) is not None:
            self.output += line
        self._lines.put(None)
        return self.wait_unread()

    def wait_unread(self) -> int:
        """Wait for its end, and return its status, without taking lines of its output."""
        return self._process.wait(TIMEOUT)

    def clean_up(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait(TIMEOUT)
        # Its children may still hold the pipe for a moment.
        self._reader.join(TIMEOUT)
        for close in (self._process.stdin, self._process.stdout):
            if close is not None:
                close.close()


class ProcessCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.certs = f"--certs={certificates().authority.parent.parent}"

    def start(
        self, *arguments: str, new_session: bool = True, stdin: int = subprocess.PIPE
    ) -> RunningCommand:
        running = RunningCommand(arguments, self.home, new_session, stdin)
        self.addCleanup(running.clean_up)
        return running

    def twistd(self, *arguments: str) -> RunningCommand:
        return self.start(*TWISTD, *arguments)

    def server(self, *options: str) -> tuple[RunningCommand, str]:
        """Start a server; return it with the client endpoint string that connects to it."""
        server = self.twistd(
            *("-n", "--pidfile=", "tlsdemo", "--listen=tcp:0:interface=127.0.0.1"),
            *("--status=unix:status", self.certs, *options),
        )
        return server, server.wait_for_line(r"listening on (tcp:127\.0\.0\.1:\d+);")[1]

    def summary(self, server: RunningCommand) -> str:
        """Stop a server, and return the summary in its log."""
        server.signal(signal.SIGTERM)
        server.wait()
        return "\n".join(re.findall(r"summary: .*", server.output))


def wait_for_text(path: Path, pattern: str) -> re.Match[str]:
    """Wait until a file has text that matches ``pattern``, and return the match."""
    deadline = time.monotonic() + TIMEOUT
    text = ""
    while time.monotonic() < deadline:
        text = path.read_text() if path.exists() else ""
        if found := re.search(pattern, text):
            return found
        # A file cannot be waited for.
        time.sleep(0.02)
    raise AssertionError(f"{path} has no {pattern!r}, but:\n{text}")


def wait_until_gone(path: Path) -> None:
    """Wait until there is no file at ``path``."""
    deadline = time.monotonic() + TIMEOUT
    while path.exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.02)


def port_of(where: str) -> int:
    return int(where.rpartition(":")[2])


def connect_and_close(where: str) -> None:
    """Connect and close, which a server logs if its reactor runs."""
    socket.create_connection(("127.0.0.1", port_of(where)), timeout=TIMEOUT).close()


class ProcessHandles:
    """Handles of running processes that are not our children (pidfd_open(2))."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._handles = {os.pidfd_open(pid): pid for pid in pids}

    def __len__(self) -> int:
        return len(self._handles)

    def still_running(self) -> list[int]:
        """Wait until all have ended; return those that have not after `TIMEOUT`."""
        poll = select.poll()
        for handle in self._handles:
            poll.register(handle, select.POLLIN)
        waiting = dict(self._handles)
        while waiting and (ended := poll.poll(TIMEOUT * 1000)):
            for handle, _ in ended:
                poll.unregister(handle)
                del waiting[handle]
        return list(waiting.values())

    def signal(self, number: int) -> None:
        for handle in self._handles:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        for handle in self._handles:
            os.close(handle)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
