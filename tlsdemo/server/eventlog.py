"""Which events of which connections are logged, and how often failures are."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from tlsdemo.causes import Ending
from tlsdemo.timeline import Event, Observer


class EventLog:
    """Logs a line an event for the first connections, and then for every so-manieth.

    ``first``: how many at the beginning; ``every``: 1 for all, 100 for each hundredth, 0 for none
    after the first.  Failures are always logged, but at most ``most`` lines a second: a flood of
    bad handshakes must not become a flood on the disk.
    """

    def __init__(
        self,
        log: Logger,
        clock: Callable[[], float],
        first: int = 3,
        every: int = 100,
        most: int = 20,
    ) -> None:
        self._log = log
        self._clock = clock
        self._first = first
        self._every = every
        self._most = most
        self._second = 0
        self._lines = 0
        self.left_out = 0

    def observer(self, number: int, peer: str) -> Observer | None:
        """Return what logs the events of connection ``number`` (from 1), or ``None``."""
        if number > self._first and not (self._every and number % self._every == 0):
            return None

        def log(event: Event) -> None:
            facts = "".join(f" {name}={value}" for name, value in event.facts.items())
            self._log.info(
                "#{connection} {peer} +{elapsed:.4f}s {event}{facts}",
                connection=number,
                peer=peer,
                elapsed=event.at,
                event=event.name,
                facts=facts,
                details=dict(event.facts),
            )

        return log

    def failed(self, number: int, peer: str, ending: Ending) -> None:
        """Log that connection ``number`` failed, and why."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > self._most:
            self.left_out += 1
            return
        self._log.warn(
            "#{connection} {peer} failed: {ending}",
            connection=number,
            peer=peer,
            ending=str(ending),
            cause=ending.cause.value,
        )

    def take_left_out(self) -> int:
        """Return how many failures were not logged since this was last asked."""
        left_out, self.left_out = self.left_out, 0
        return left_out
