"""Puts a pinned protocol through a situation in memory, and returns the trace."""

from __future__ import annotations

import ssl
from typing import Any

from twisted.internet.task import Clock

from tlsdemo.testing.pins.memory_wire import MemoryWire
from tlsdemo.testing.pins.pinned_transport import PinnedTransport
from tlsdemo.testing.pins.recording import Recording
from tlsdemo.testing.pins.scripted_peer import ScriptedPeer
from tlsdemo.testing.pins.situations import Situation, find_situation, why_impossible
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.testing.pins.watching import watch
from tlsdemo.testing.starttls_transport import default_clock
from tlsdemo.trace.model import End, Trace

PATIENCE = 24 * 3600.0
"""Seconds of the clock in memory after which a connection that is still open is left alone."""

MOST_TIMERS = 1000
"""How many times the clock moves on to the next timer, at most."""


def observe_in_memory(subject: Subject, scenario: str) -> Trace:
    """Make one connection, and return all that was seen of it.

    The clock stands still until nothing moves, and then goes on to the next timer, so timeouts
    expire at once.

    Raises:
        ValueError: If there is no such scenario, or if this subject cannot be put through it.
    """
    situation = situation_for(subject, scenario)
    if not situation.scenario.resumes:
        return _Connection(subject, situation).run()
    clock = Clock()
    with default_clock(clock):
        factory = subject.make_factory()
    first = _Connection(subject, situation, factory, clock)
    first.run()
    context, session = first.peer.context, first.peer.session
    return _Connection(subject, situation, factory, clock, context, session).run()


def situation_for(subject: Subject, scenario: str) -> Situation:
    """Return the situation of that name.

    Raises:
        ValueError: If there is none, or if this subject cannot be put through it.
    """
    situation = find_situation(scenario)
    why = why_impossible(situation, subject.end, subject.negotiates)
    if why:
        raise ValueError(f"{situation.name!r} is not possible for this {subject.end.value}: {why}")
    return situation


class _Connection:
    def __init__(
        self,
        subject: Subject,
        situation: Situation,
        factory: Any = None,
        clock: Clock | None = None,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._began = self._clock.seconds()
        self._record = Recording(subject, situation, lambda: self._clock.seconds() - self._began)
        self.peer = ScriptedPeer(subject, situation, self._record.peer, context, session)
        with default_clock(self._clock):
            protocol = (factory or subject.make_factory()).buildProtocol(None)
        if protocol is None:
            raise ValueError("the factory built no protocol: its buildProtocol returned None")
        watch(protocol, self._record.pinned, subject.shown, self._clock)
        is_client = subject.end is End.CLIENT
        self._transport = PinnedTransport(
            protocol, is_client=is_client, clock=self._clock, report=self._record.pinned
        )
        self._wire = MemoryWire(self._transport, self.peer, situation, self._record)

    def run(self) -> Trace:
        """Make the connection, until it has ended or nothing more will happen."""
        self._transport.connect()
        self.peer.start()
        for _ in range(MOST_TIMERS):
            self._wire.pump()
            while self._wire.drip() or self.peer.proceed():
                self._wire.pump()
            if not self._transport.connected or not self._next_timer():
                break
        if self._transport.connected:
            self._record.pinned("still open")
        return self._record.trace

    def _next_timer(self) -> bool:
        """Move the clock on to the next timer; returns whether there is one in time."""
        due = min((each.getTime() for each in self._clock.getDelayedCalls()), default=None)
        if due is None or due - self._began > PATIENCE:
            return False
        self._clock.advance(max(0.0, due - self._clock.seconds()))
        return True
