"""A clock for one end of a connection, on which deadlines can be had sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IReactorTime)
class HurriedClock:
    """A reactor's clock, on which nothing takes long any more once it is told to hurry.

    So a deadline can be seen to pass, and yet be far away for all connections that keep it.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._most: float | None = None
        self._calls: list[IDelayedCall] = []

    def seconds(self) -> float:
        """Return the reactor's time."""
        now: float = self._reactor.seconds()
        return now

    def callLater(
        self, delay: float, callable: Any, *args: object, **kwargs: object
    ) -> IDelayedCall:
        """Call later or, in a hurry, soon."""
        within = delay if self._most is None else min(delay, self._most)
        later: IDelayedCall = self._reactor.callLater(within, callable, *args, **kwargs)
        self._calls = [*self.getDelayedCalls(), later]
        return later

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Return what is still to be called."""
        return [each for each in self._calls if each.active()]

    def hurry(self, most: float) -> None:
        """Have whatever is due later than in ``most`` seconds happen then, from now on."""
        self._most = most
        for each in self.getDelayedCalls():
            if each.getTime() - self.seconds() > most:
                each.reset(most)
