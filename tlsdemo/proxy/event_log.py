"""Which events of which connections are logged, and how often failures are."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from tlsdemo.close_reasons import CloseReason
from tlsdemo.trace.model import Arrow, Mark
from tlsdemo.trace.timeline import Event, Fact, LazyText

_TRUE_NOW = ("peer", "alpn", "flight", "write")
"""The facts that a ``ConnectionObserver`` adds to each event: what is true at that moment."""


class EventLog:
    """Logs the events of the first connections, and then of every ``every``-th, a line each.

    ``first``: how many connections at the beginning.  ``every``: 1 for all, 100 for each
    hundredth, 0 for none after the first.  ``in_full``: log all details of them, but for
    OpenSSL's states.  Failures are always logged, but at most ``most`` lines a second: a flood of
    bad handshakes must not fill the disk.
    """

    def __init__(
        self,
        log: Logger,
        clock: Callable[[], float],
        first: int = 3,
        every: int = 100,
        most: int = 20,
        in_full: bool = False,
    ) -> None:
        self._log = log
        self._clock = clock
        self._first = first
        self._every = every
        self._most = most
        self._in_full = in_full
        self._second = 0
        self._lines = 0
        self.left_out = 0

    def event_logger(self, number: int, peer: str) -> Callable[[Event], object] | None:
        """Return what logs the events of connection ``number`` (from 1), or ``None``."""
        if self._in_full or not self._sampled(number):
            return None
        return lambda event: self._happened(number, peer, event)

    def detail_logger(self, number: int, peer: str) -> Callable[[Mark | Arrow], object] | None:
        """Return what logs all details of connection ``number``, or ``None``."""
        if not (self._in_full and self._sampled(number)):
            return None

        def log(seen: Mark | Arrow) -> None:
            if isinstance(seen, Mark) and seen.event.name != "OpenSSL state":
                self._happened(number, peer, seen.event)

        return log

    def _sampled(self, number: int) -> bool:
        return number <= self._first or (self._every > 0 and number % self._every == 0)

    def _happened(self, number: int, peer: str, event: Event) -> None:
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
        """Log that connection ``number`` failed, and why."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > self._most:
            self.left_out += 1
            return
        self._log.warn(
            "#{connection} {peer} failed: {close_reason}",
            connection=number,
            peer=peer,
            close_reason=str(close_reason),
            cause=close_reason.cause.value,
        )

    def take_left_out(self) -> int:
        """Return how many failures were not logged since this was last asked."""
        left_out, self.left_out = self.left_out, 0
        return left_out


def _holds(true: dict[str, Fact]) -> str:
    """Write what holds, and leave out what does not."""
    if not true:
        return ""
    named = (name if value is True else f"{name}={value}" for name, value in true.items() if value)
    return f" [{' '.join(named)}]"
