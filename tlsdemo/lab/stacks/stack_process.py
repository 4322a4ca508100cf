"""Runs a peer's program, and gathers the events that it prints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IProcessProtocol
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.loadgen.worker_pool import environment
from tlsdemo.trace.timeline import Fact

GRACE = 10.0
"""Seconds beyond its patience after which a peer's program is killed."""

_MOST_OF_ERRORS = 1 << 14


class StackFailed(Exception):
    """A peer's program did not do as it should; the text is one line that says what and why."""


@dataclass(frozen=True)
class StackEvent:
    """One event of a peer; ``at`` is in seconds of CLOCK_MONOTONIC, as ``time.monotonic()``.

    Facts that are not known at that moment are left out: ``peer``, whether the certificate of the
    other end is there; ``alpn``; ``authorized``, Node's word; and ``text``, of the event itself.
    """

    at: float
    name: str
    facts: Mapping[str, Fact]


@dataclass
class RunningStack:
    """A peer that listens on ``port`` of 127.0.0.1.

    ``ended`` has all events, once the program has ended; it fails with :class:`StackFailed` if
    that was not by itself and in order.  ``errors`` is what it wrote on standard error.
    """

    name: str
    port: int
    versions: Mapping[str, str]
    process: StackProcess
    ended: Deferred[list[StackEvent]] = field(default_factory=Deferred)
    events: list[StackEvent] = field(default_factory=list)
    errors: str = ""

    def kill(self) -> None:
        """End the program, if it runs still."""
        self.process.kill()


@implementer(IProcessProtocol)
class StackProcess(ProcessProtocol):
    """The program: a line that says where it listens, then a line for each event."""

    transport: Any = None

    def __init__(self, reactor: Any, name: str, config: StackConfig) -> None:
        self.name = name
        self.started: Deferred[RunningStack] = Deferred(lambda _deferred: self.kill())
        self._running: RunningStack | None = None
        self._buffer = b""
        self._errors = b""
        self._wrong: str | None = None
        self._over = False
        self._end = reactor.callLater(config.timeout + GRACE, self._too_long)

    def _too_long(self) -> None:
        self._go_wrong("it did not end by itself")

    def _go_wrong(self, what: str) -> None:
        self._wrong = self._wrong or what
        self.kill()

    def kill(self) -> None:
        """End it, if it runs still."""
        if not self._over and self.transport is not None and self.transport.pid is not None:
            self.transport.signalProcess("KILL")

    def outReceived(self, data: bytes) -> None:
        """Take what is whole of the lines."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                self._go_wrong(f"it printed {line[:60]!r}")
                return

    def _take(self, line: Any) -> None:
        if self._running is None:
            self._running = RunningStack(self.name, int(line["port"]), line["versions"], self)
            self.started.callback(self._running)
        else:
            event = StackEvent(float(line["at"]), str(line["event"]), dict(line["facts"]))
            self._running.events.append(event)

    def errReceived(self, data: bytes) -> None:
        """Keep the end of it."""
        self._errors = (self._errors + data)[-_MOST_OF_ERRORS:]

    def processEnded(self, reason: Failure) -> None:
        """Hand over the events, or say what was wrong."""
        self._over = True
        if self._end.active():
            self._end.cancel()
        errors = self._errors.decode(errors="replace").strip()
        wrong = self._wrong
        if wrong is None and not reason.check(ProcessDone):
            wrong = errors.rpartition("\n")[2] or reason.getErrorMessage()
        running = self._running
        if running is None:
            wrong = wrong or "it ended before it listened"
            if not self.started.called:
                self.started.errback(StackFailed(f"the peer {self.name} did not start: {wrong}"))
            return
        running.errors = errors
        if wrong is None:
            running.ended.callback(running.events)
        else:
            running.ended.errback(StackFailed(f"the peer {self.name} failed: {wrong}"))


def start_stack(reactor: Any, name: str, config: StackConfig) -> Deferred[RunningStack]:
    """Start the peer ``name``; fires when it listens, fails with :class:`StackFailed`.

    Whether it is available here is for the caller to ask beforehand.
    """
    command = STACKS[name].command(config)
    program = shutil.which(command[0])
    process = StackProcess(reactor, name, config)
    reactor.spawnProcess(process, program or command[0], command, env=environment())
    return process.started
