"""An endpoint that does not wait for ever."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IStreamClientEndpoint)
class TimeoutEndpoint:
    """Connects as ``endpoint`` does, and gives up after ``seconds``; 0 for as long as it takes.

    Endpoints have timeouts of their own, but not all of them, and none for a name that is never
    resolved.
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
        if self._seconds:
            connecting.addTimeout(self._seconds, self._clock, _timed_out)
        return connecting


def _timed_out(_cancelled: object, seconds: float) -> Failure:
    # Endpoints say nothing but that they were cancelled, each in its own way.
    return Failure(TimeoutError(f"no answer after {seconds:g} s"))
