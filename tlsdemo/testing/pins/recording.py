"""The trace of one connection of a pinned protocol, while it is being made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tlsdemo.testing.pins.situations import Situation
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.trace.model import Arrow, End, Mark, Trace
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event
from tlsdemo.trace.tls_detection import join_excerpts


class Recording:
    """Collects what happens.

    Args:
        subject: What is pinned.
        situation: What it is put through.
        now: Returns the seconds since the connection began; by default always 0.

    Attributes:
        trace: What has happened so far.
        ended: Whether events are recorded no more.
    """

    def __init__(
        self, subject: Subject, situation: Situation, now: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.subject = subject
        self._now = now
        self.ended = False
        self._latest: int | None = None
        self.trace = Trace(
            situation.name,
            {"pinned": subject.end.value, "dialect": subject.dialect, "tls": subject.tls},
        )

    def pinned(self, name: str, **facts: Any) -> None:
        """An event of the pinned end."""
        self._mark(self.subject.end, name, facts)

    def peer(self, name: str, **facts: Any) -> None:
        """An event of the peer."""
        self._mark(self.subject.peer, name, facts)

    def arrow(self, arrow: Arrow) -> None:
        """A record; its time is that of the recording."""
        record = arrow.record
        if record.kind is Kind.PLAIN:
            # Without the number of bytes that are hidden, which varies.
            record = replace(record, messages=record.messages[:1])
        arrow = replace(arrow, at=self._now(), record=record)
        if not self._continues(arrow):
            self._latest = len(self.trace.seen)
            self.trace.seen.append(arrow)

    def _continues(self, arrow: Arrow) -> bool:
        """Add plaintext to what the same end has just sent: a socket cuts it where it likes."""
        if self._latest is None or arrow.record.kind is not Kind.PLAIN:
            return False
        latest = self.trace.seen[self._latest]
        assert isinstance(latest, Arrow)
        alike = replace(latest, record=arrow.record) == arrow
        if not alike or latest.record.kind is not Kind.PLAIN:
            return False
        text = join_excerpts(latest.record.messages[0], arrow.record.messages[0])
        size = latest.record.length + arrow.record.length
        record = replace(arrow.record, length=size, messages=(text,))
        self.trace.seen[self._latest] = replace(latest, record=record)
        return True

    def _mark(self, end: End, name: str, facts: dict[str, Any]) -> None:
        if not self.ended:
            self.trace.seen.append(Mark(end, Event(name, self._now(), facts)))
