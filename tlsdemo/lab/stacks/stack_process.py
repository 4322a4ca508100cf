"""Runs a peer's program, and gathers the events that it prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.net.child_process import ChildProcess, split_lines
from tlsdemo.trace.timeline import Fact

GRACE = 10.0
"""Seconds beyond its timeout after which a peer's program is killed."""


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


class StackProcess:
    """The program: a line that says where it listens, then a line for each event."""

    def __init__(self, reactor: Any, name: str, config: StackConfig) -> None:
        self.name = name
        self.started: Deferred[RunningStack] = Deferred(lambda _deferred: self.kill())
        self._running: RunningStack | None = None
        self._wrong: str | None = None
        self.child = ChildProcess(
            reactor,
            STACKS[name].command(config),
            stdout=split_lines(self._line_received),
            timeout=config.timeout + GRACE,
        )
        self.child.wait().addCallback(self._ended)

    def kill(self) -> None:
        """End it, if it runs still."""
        self.child.kill()

    def _line_received(self, line: bytes) -> None:
        if self._wrong is not None:
            return
        try:
            self._take(json.loads(line))
        except (ValueError, KeyError, TypeError):
            self._wrong = f"it printed {line[:60]!r}"
            self.kill()

    def _take(self, line: Any) -> None:
        if self._running is None:
            self._running = RunningStack(self.name, int(line["port"]), line["versions"], self)
            self.started.callback(self._running)
        else:
            event = StackEvent(float(line["at"]), str(line["event"]), dict(line["facts"]))
            self._running.events.append(event)

    def _ended(self, returncode: int) -> None:
        """Hand over the events, or say what was wrong."""
        wrong = self._wrong
        if wrong is None and self.child.timed_out:
            wrong = "it did not end by itself"
        if wrong is None and returncode:
            wrong = self.child.error_message
        running = self._running
        if running is None:
            wrong = wrong or "it ended before it listened"
            if not self.started.called:
                self.started.errback(StackFailed(f"the peer {self.name} did not start: {wrong}"))
            return
        running.errors = self.child.output.strip()
        if wrong is None:
            running.ended.callback(running.events)
        else:
            running.ended.errback(StackFailed(f"the peer {self.name} failed: {wrong}"))


def start_stack(reactor: Any, name: str, config: StackConfig) -> Deferred[RunningStack]:
    """Start the peer ``name``; fires when it listens, fails with :class:`StackFailed`.

    Whether it is available here is for the caller to ask beforehand.
    """
    return StackProcess(reactor, name, config).started
