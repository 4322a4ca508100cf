"""A server in a process of its own, for ``tlsdemo run`` and for the benchmarks."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tlsdemo.loadgen.status_client import connect_status_client
from tlsdemo.loadgen.worker_pool import environment

START_WITHIN = 30.0
"""Seconds until a started server has to answer."""

STOP_WITHIN = 10.0
"""Seconds until a server that does not exit is killed."""

_MAX_LOG = 1 << 16


class CannotLaunch(Exception):
    """The server did not start; the text is one line that says why."""


@dataclass(frozen=True)
class Place:
    """The path of a server's Python, and the environment variables of its process."""

    python: str = sys.executable
    variables: Mapping[str, str] = field(default_factory=environment)


class LaunchedServer(ProcessProtocol):
    """``twistd tlsdemo`` with ``arguments``, on a port that the system chooses.

    ``place`` is the Python to run it with, by default this one.  ``connect`` and ``status`` are the
    client endpoint strings of the server and of its status service, once it is running.
    """

    transport: Any

    def __init__(self, reactor: Any, arguments: Sequence[str], place: Place | None = None) -> None:
        self._reactor = reactor
        self._place = place or Place()
        self._home = Path(tempfile.mkdtemp(prefix="tlsdemo-"))
        self._arguments = arguments
        self._log = b""
        self._ended: Deferred[None] | None = None
        self._running = False
        self.status = f"unix:{quoteStringArgument(str(self._home / 'status'))}"
        self.connect = ""

    async def start(self) -> None:
        """Start the server, and return when it listens; raises CannotLaunch."""
        arguments = [
            *(self._place.python, "-m", "tlsdemo.cli.twistd_child", "-n", "--pidfile=", "tlsdemo"),
            "--listen=tcp:0:interface=127.0.0.1",
            f"--status={self.status}",
            *self._arguments,
        ]
        self._running = True
        self._reactor.spawnProcess(
            self, self._place.python, arguments, env=dict(self._place.variables)
        )
        deadline = self._reactor.seconds() + START_WITHIN
        while self._running and self._reactor.seconds() < deadline:
            try:
                status_client = await connect_status_client(self._reactor, self.status)
                answer = await status_client.ask(ask="statistics")
            except Exception:
                # It does not listen yet, or it has exited.
                await deferLater(self._reactor, 0.05, lambda: None)
                continue
            status_client.close()
            self.connect = answer["listening"][0]
            return
        last_line = self._log.decode(errors="replace").strip().rpartition("\n")[2]
        await self.stop()
        raise CannotLaunch(f"the server did not start: {last_line or 'no output'}")

    def outReceived(self, data: bytes) -> None:
        """Keep the end of the log."""
        self._log = (self._log + data)[-_MAX_LOG:]

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Note that the process has ended."""
        self._running = False
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)

    async def stop(self) -> str:
        """Stop the server, and return the end of its log."""
        if self._running:
            ended: Deferred[None] = Deferred()
            self._ended = ended
            self.transport.signalProcess("TERM")
            kill = self._reactor.callLater(STOP_WITHIN, self.transport.signalProcess, "KILL")
            await ended
            if kill.active():
                kill.cancel()
        shutil.rmtree(self._home, ignore_errors=True)
        return self._log.decode(errors="replace")
