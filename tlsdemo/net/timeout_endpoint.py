"""A client endpoint with a timeout."""

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
        if self._seconds:
            connecting.addTimeout(self._seconds, self._clock, _timed_out)
        return connecting


def _timed_out(_cancelled: object, seconds: float) -> Failure:
    # What a cancelled endpoint fails with depends on the endpoint, and does not mention a timeout.
    return Failure(TimeoutError(f"no answer after {seconds:g} s"))
