"""A clock for one end of a connection, whose timeouts can be shortened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IReactorTime)
class HurriedClock:
    """A reactor's clock with a limit on delays, which :meth:`hurry` sets.

    The laboratory uses long timeouts, so that a busy machine does not change the order of events.
    With this clock, a scenario in which a timeout is certain to expire does not have to wait.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._limit: float | None = None
        self._calls: list[IDelayedCall] = []

    def seconds(self) -> float:
        """Return the reactor's time."""
        now: float = self._reactor.seconds()
        return now

    def callLater(
        self, delay: float, callable: Any, *args: object, **kwargs: object
    ) -> IDelayedCall:
        """Call after ``delay`` seconds, or after the limit if that is less."""
        within = delay if self._limit is None else min(delay, self._limit)
        later: IDelayedCall = self._reactor.callLater(within, callable, *args, **kwargs)
        self._calls = [*self.getDelayedCalls(), later]
        return later

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Return the pending calls."""
        return [each for each in self._calls if each.active()]

    def hurry(self, limit: float) -> None:
        """Limit all delays to ``limit`` seconds, those of pending calls included."""
        self._limit = limit
        for each in self.getDelayedCalls():
            if each.getTime() - self.seconds() > limit:
                each.reset(limit)
