"""The log of connection events, for a sample of the connections, and of failures."""

from __future__ import annotations

from collections.abc import Callable

from tlsdemo.close_reasons import CloseReason
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.trace.model import Arrow, Mark
from tlsdemo.trace.timeline import Event, Fact, LazyText

_TRUE_NOW = ("peer", "alpn", "flight", "write")
"""The facts that a ``ConnectionObserver`` adds to each event: the state at that moment."""


class EventLog:
    """Logs the events of some connections, one per line, and failures of all.

    Args:
        log: The logger.
        clock: Returns the time in seconds.
        first: How many connections are logged at the beginning.
        every: Which connections are logged after those: 1 for all, 100 for every hundredth, 0
            for none.
        max_failures: How many failures are logged per second at most, so that a flood of bad
            handshakes does not fill the disk.
        detailed: Whether all details are logged, except OpenSSL's states.
    """

    def __init__(
        self,
        log: PrintableLogger,
        clock: Callable[[], float],
        first: int = 3,
        every: int = 100,
        max_failures: int = 20,
        detailed: bool = False,
    ) -> None:
        self._log = log
        self._clock = clock
        self._first = first
        self._every = every
        self._max_failures = max_failures
        self._detailed = detailed
        self._second = 0
        self._lines = 0
        self._suppressed = 0

    def event_logger(self, number: int, peer: str) -> Callable[[Event], object] | None:
        """Return a function that logs the events of connection ``number`` (from 1), or ``None``."""
        if self._detailed or not self._sampled(number):
            return None
        return lambda event: self._log_event(number, peer, event)

    def detail_logger(self, number: int, peer: str) -> Callable[[Mark | Arrow], object] | None:
        """Return a function that logs all details of connection ``number``, or ``None``."""
        if not (self._detailed and self._sampled(number)):
            return None

        def log(seen: Mark | Arrow) -> None:
            if isinstance(seen, Mark) and seen.event.name != "OpenSSL state":
                self._log_event(number, peer, seen.event)

        return log

    def _sampled(self, number: int) -> bool:
        return number <= self._first or (self._every > 0 and number % self._every == 0)

    def _log_event(self, number: int, peer: str, event: Event) -> None:
        details = {
            name: str(value) if isinstance(value, LazyText) else value
            for name, value in event.facts.items()
            if name not in _TRUE_NOW
        }
        true = {name: value for name, value in event.facts.items() if name in _TRUE_NOW}
        self._log.info(
            "#{connection} {peer} +{elapsed:.4f}s {event}{facts}{holds}",
            connection=number,
            peer=peer,
            elapsed=event.at,
            event=event.name,
            facts="".join(f" {name}={value}" for name, value in details.items()),
            details=details,
            holds=_holds(true),
            true=true,
        )

    def failed(self, number: int, peer: str, close_reason: CloseReason) -> None:
        """Log that connection ``number`` failed, with its close reason."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > self._max_failures:
            self._suppressed += 1
            return
        self._log.warn(
            "#{connection} {peer} failed: {close_reason}",
            connection=number,
            peer=peer,
            close_reason=str(close_reason),
            cause=close_reason.cause.value,
        )

    def take_suppressed(self) -> int:
        """Return how many failures have not been logged since the last call."""
        suppressed, self._suppressed = self._suppressed, 0
        return suppressed


def _holds(true: dict[str, Fact]) -> str:
    """Return the facts that are true as text, without those that are false or empty."""
    if not true:
        return ""
    named = (name if value is True else f"{name}={value}" for name, value in true.items() if value)
    return f" [{' '.join(named)}]"
