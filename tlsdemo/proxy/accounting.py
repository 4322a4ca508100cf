"""Counting, recording, logging and tracing the connections of one service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tlsdemo.close_reasons import CloseReason
from tlsdemo.proxy.connection_registry import ConnectionRegistry
from tlsdemo.proxy.event_log import EventLog
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.proxy.trace_file import TraceFile
from tlsdemo.tls import Observer
from tlsdemo.trace.connection_observer import ConnectionObserver, SeveralObservers
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.timeline import EventObserver, Fact, ToldText

Watch = Callable[[int, str, Callable[[], float]], Observer | None]
"""A function from a connection's number (from 1), its peer's address and the clock to an observer.

``None`` if it does not watch this connection.
"""

_Report = Callable[[Mark | Arrow], object]


@dataclass(frozen=True)
class Accounting:
    """The counters, the registry, the log and the trace of one service.

    ``numbers``: the number of the first connection, and the step to the next one, so that workers
    number theirs differently.  ``watches``: others that observe connections, such as metrics.
    """

    statistics: Statistics
    registry: ConnectionRegistry
    events: EventLog
    trace_file: TraceFile | None = None
    numbers: tuple[int, int] = (1, 1)
    watches: Sequence[Watch] = ()

    def next_number(self) -> int:
        """Return the number of the next connection: they go from the first by a step."""
        first, step = self.numbers
        return first + step * self.statistics.opened

    def observer(self, number: int, peer: str, clock: Callable[[], float]) -> Observer | None:
        """Return an observer of connection ``number``, which begins now, or ``None``."""
        observers: list[Observer] = []
        log = self.events.event_logger(number, peer)
        if log is not None:
            observers.append(EventObserver(clock, log, close_facts))
        details = self.events.detail_logger(number, peer)
        trace = None if self.trace_file is None else self.trace_file.writer(number, peer)
        if details is not None or trace is not None:
            observers.append(self._details(clock, details, trace))
        for watch in self.watches:
            watching = watch(number, peer, clock)
            if watching is not None:
                observers.append(watching)
        if len(observers) > 1:
            return SeveralObservers(observers)
        return observers[0] if observers else None

    @staticmethod
    def _details(
        clock: Callable[[], float], log: _Report | None, trace: _Report | None
    ) -> ConnectionObserver:
        reports = [each for each in (log, trace) if each is not None]

        def report(seen: Mark | Arrow) -> None:
            for each in reports:
                each(seen)

        return ConnectionObserver(
            End.SERVER,
            clock,
            clock(),
            report,
            wire=trace is not None,
            close_facts=close_facts,
        )

    def rejected(self, peer: str, close_reason: CloseReason) -> None:
        """Count and log a connection from ``peer`` that was not accepted."""
        self.statistics.failed[close_reason.cause.value] += 1
        self.events.failed(0, peer, close_reason)


def close_facts(name: str, reason: CloseReason) -> Mapping[str, Fact]:
    """Return the facts that describe a close reason in logs and traces of a server."""
    return {"why" if name == "insecure" else "how": ToldText.of(reason)}
