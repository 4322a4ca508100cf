"""Processes of the benchmark: started, asked line by line, and ended in any case."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from tlsdemo.net.child_process import environment

ANSWER_WITHIN = 20.0
"""Seconds that a process may take to say its next line."""

STOP_WITHIN = 5.0
"""Seconds that it may take to end, before it is killed."""

_MOST_OF_A_LOG = 1 << 14


class CannotMeasure(Exception):
    """A peer cannot be measured; the text is one line that says why."""


class NotHere(CannotMeasure):
    """It is not installed, or not in a version that has what it takes."""


class Program(ProcessProtocol):
    """A process that speaks JSON lines on its standard output, or nothing at all.

    It never outlives us, whatever we end by: see ``bench/peers/leash.py``.
    """

    def __init__(self, reactor: Any, arguments: Sequence[str]) -> None:
        self._reactor = reactor
        self._name = arguments[0]
        self._rest = b""
        self._errors = b""
        self._lines: deque[bytes] = deque()
        self._waiting: Deferred[None] | None = None
        self._ended: Deferred[None] | None = None
        self.running = True
        leash = [sys.executable, "-m", "bench.peers.leash", *arguments]
        reactor.spawnProcess(self, sys.executable, leash, env=environment())
        assert self.transport is not None
        self.pid: int = self.transport.pid

    async def line(self) -> dict[str, Any]:
        """Return the next line; raises CannotMeasure if there is none in good time."""
        late = self._reactor.callLater(ANSWER_WITHIN, self._wake)
        while self.running and late.active() and not self._lines:
            self._waiting = Deferred()
            await self._waiting
        if late.active():
            late.cancel()
        if not self._lines:
            raise CannotMeasure(self.said or f"{self._name} says nothing")
        message: dict[str, Any] = json.loads(self._lines.popleft())
        return message

    async def ask(self) -> dict[str, Any]:
        """Ask for the next line, and return it."""
        if self.running and self.transport is not None:
            self.transport.write(b"\n")
        return await self.line()

    @property
    def said(self) -> str:
        """The last line of what it had to complain of."""
        return self._errors.decode(errors="replace").strip().rpartition("\n")[2]

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def outReceived(self, data: bytes) -> None:
        """Keep what it says, line by line."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines.extend(lines)
        self._wake()

    def errReceived(self, data: bytes) -> None:
        """Keep the end of what it complains of."""
        self._errors = (self._errors + data)[-_MOST_OF_A_LOG:]

    def processEnded(self, reason: Failure) -> None:
        """Note that it has ended."""
        self.running = False
        self._wake()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended.callback(None)

    async def stop(self) -> None:
        """End it, if it has not ended by itself."""
        if self.running and self.transport is not None:
            ended: Deferred[None] = Deferred()
            self._ended = ended
            self.transport.signalProcess("TERM")
            kill = self._reactor.callLater(STOP_WITHIN, self.transport.signalProcess, "KILL")
            await ended
            if kill.active():
                kill.cancel()
