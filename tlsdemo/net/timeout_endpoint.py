"""A client endpoint with a timeout."""

from __future__ import annotations

from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.net.deadlines import deadlines_of

_T = TypeVar("_T")


@implementer(IStreamClientEndpoint)
class TimeoutEndpoint:
    """Connects through another endpoint, for at most ``seconds``; 0 means no limit.

    Not every endpoint has a timeout, and those that have do not count the resolution of the name.
    """

    def __init__(
        self, endpoint: IStreamClientEndpoint, clock: IReactorTime, seconds: float
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._seconds = seconds

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Connect; fails with TimeoutError if that takes too long."""
        connecting: Deferred[Any] = self._endpoint.connect(protocolFactory)
        if self._seconds and not connecting.called:
            # Not addTimeout, which makes a delayed call for each connection.
            limit = _Limit(connecting, self._clock)
            deadlines_of(self._clock).begin(limit, self._seconds)
            connecting.addBoth(limit.over)
        return connecting


class _Limit:
    """Cancels a Deferred that takes too long."""

    __slots__ = ("_clock", "_waiting", "due", "seconds")

    def __init__(self, waiting: Deferred[Any], clock: IReactorTime) -> None:
        self._waiting: Deferred[Any] | None = waiting
        self._clock = clock
        self.due = self.seconds = 0.0

    def expire(self) -> None:
        waiting, self._waiting = self._waiting, None
        assert waiting is not None
        waiting.cancel()

    def over(self, result: _T) -> _T | Failure:
        """Return ``result``, or that there was no answer in time."""
        if self._waiting is not None:
            self._waiting = None
            deadlines_of(self._clock).cancel(self)
            return result
        if isinstance(result, Failure):
            # What a cancelled endpoint fails with depends on it, and does not mention a timeout.
            return Failure(TimeoutError(f"no answer after {self.seconds:g} s"))
        return result
