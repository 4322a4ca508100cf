"""The last sampled connections, each with its trace as it grows."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from twisted.internet.defer import Deferred, succeed

from tlsdemo.proxy.accounting import close_facts
from tlsdemo.tls import Observer, versions
from tlsdemo.trace.connection_observer import ConnectionObserver
from tlsdemo.trace.model import Arrow, End, Mark, Trace
from tlsdemo.trace.timeline import Fact
from tlsdemo.web.connection_list import MOST_KEPT, ListedConnection

MOST_SEEN = 400
"""Events and records that are kept of a connection; after that only its last events are."""

MOST_LAST = 40
"""Events that are kept beyond `MOST_SEEN`."""

APART = 1.0
"""Seconds between two connections that are sampled."""

_DECISIVE = ("connected", "upgrade requested", "secure", "upgrade refused", "insecure", "closed")
"""The events that say in what state a connection is."""


class SamplingObserver(ConnectionObserver):
    """A connection's observer that can cease to read records."""

    ignores_records = False

    def wire(self, sent: bool, data: bytes) -> None:
        """Report the records that ``data`` completes."""
        if not self.ignores_records:
            super().wire(sent, data)


@dataclass
class SampledConnection:
    """A connection with its trace; ``state`` is its last decisive event, with its facts."""

    number: int
    peer: str
    began: datetime
    trace: Trace
    state: str = ""
    observer: Callable[[], SamplingObserver | None] = lambda: None

    def add(self, seen: Mark | Arrow) -> None:
        """Add an event or a record, unless there are too many."""
        size = len(self.trace.seen)
        if size >= MOST_SEEN:
            self.trace.facts["not shown"] = "later records"
            self.ignore_records()
        if size < MOST_SEEN or (isinstance(seen, Mark) and size < MOST_SEEN + MOST_LAST):
            self.trace.seen.append(seen)
        if isinstance(seen, Mark) and seen.event.name in _DECISIVE:
            facts = seen.event.facts
            told = facts.get("agreed", facts.get("how", facts.get("why", "")))
            self.state = f"{seen.event.name}: {told}" if told else seen.event.name

    def ignore_records(self) -> None:
        """Read no more records: they take time, and are not shown."""
        observer = self.observer()
        if observer is not None:
            observer.ignores_records = True

    def listed(self) -> ListedConnection:
        """Return what the list on a page shows."""
        began, seen = self.began, len(self.trace.seen)
        return ListedConnection(
            self.number, self.peer, f"{began:%H:%M:%S}", self.state, seen, began.timestamp()
        )


class SampledConnections:
    """Samples connections of a server in ``mode``, not more than one every `APART` seconds.

    ``now`` returns the date and time.
    """

    def __init__(
        self,
        mode: str,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._facts: dict[str, Fact] = {"mode": mode, **versions()}
        self._now = now
        self._next = float("-inf")
        self._kept: dict[int, SampledConnection] = {}
        self.changes = 0

    def watch(self, number: int, peer: str, clock: Callable[[], float]) -> Observer | None:
        """Return an observer of one connection, which begins now, if it is sampled."""
        at = clock()
        if at < self._next:
            return None
        self._next = at + APART
        began = self._now()
        facts: dict[str, Fact] = {**self._facts, "peer": peer, "began": f"{began:%H:%M:%S} UTC"}
        connection = SampledConnection(
            number, peer, began, Trace(f"connection {number} from {peer}", facts)
        )
        self._kept[number] = connection
        if len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept))).ignore_records()

        def report(seen: Mark | Arrow) -> None:
            self.changes += 1
            connection.add(seen)

        observer = SamplingObserver(End.SERVER, clock, at, report, close_facts=close_facts)
        # Weakly: it refers to OpenSSL's connection.
        connection.observer = weakref.ref(observer)
        return observer

    def get(self, number: int) -> SampledConnection | None:
        """Return a connection by its number, if it is kept."""
        return self._kept.get(number)

    def newest_first(self) -> list[ListedConnection]:
        """Return the connections that are kept."""
        return [each.listed() for each in reversed(self._kept.values())]

    def trace(self, number: int) -> Deferred[Trace | None]:
        """Return the trace of a connection by its number, ``None`` if it is not kept."""
        connection = self._kept.get(number)
        return succeed(None if connection is None else connection.trace)
