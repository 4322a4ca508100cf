"""The status service: answers queries for the counters of a server.

Queries and answers are JSON objects, one per line.  The answer to ``{"ask": "statistics"}`` is the
present value of all counters.  The answer to ``{"ask": "run", "name": …, "sent": …, "peers": […]}``
is the totals of the connections from those addresses, so that a load client learns what arrived.
The answer to anything else is ``{"error": …}``.

Nothing is read from a client that does not read its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IPushProducer, IReactorTime
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

Answer = dict[str, Any]
Query = dict[str, Any]


MAX_CONNECTIONS = 64
"""Maximum number of open connections; more are closed at once."""

_MAX_QUOTED = 60
"""Maximum number of characters of a query that an error message quotes."""


@implementer(IPushProducer)
class StatusProtocol(LineOnlyReceiver, TimeoutMixin):
    """Answers one query after the other.

    A client that sends no query, or reads no answer, for ``idle_timeout`` seconds is disconnected.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 22
    idle_timeout = 120.0

    def connectionMade(self) -> None:
        """Wait for the first query."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self.setTimeout(self.idle_timeout)

    def pauseProducing(self) -> None:
        """Stop reading queries: the client does not read its answers."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading queries."""
        transport: Any = self.transport
        transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the connection is closed."""

    def timeoutConnection(self) -> None:
        """Disconnect an idle client."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        transport: Any = self.transport
        transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """Answer one query."""
        self.resetTimeout()
        factory = cast(StatusFactory, self.factory)
        try:
            query = json.loads(line)
            if not isinstance(query, dict):
                raise ValueError(f"not an object but {type(query).__name__}")
            answer = factory.answer(query)
        except (ValueError, RecursionError) as problem:
            answer = {"error": f"not understood: {problem}"}
        self.sendLine(json.dumps(answer).encode())

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long to buffer."""
        self.sendLine(
            json.dumps({"error": f"a line of more than {self.MAX_LENGTH} bytes"}).encode()
        )
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        """Cancel the timeout."""
        self.setTimeout(None)
        cast(StatusFactory, self.factory).forget(self)


class StatusFactory(Factory):
    """Answers queries with the functions of ``answers``, by the value of ``ask``.

    The functions are called with the query, and raise ValueError if it is invalid.
    """

    noisy = False

    def __init__(self, answers: dict[str, Callable[[Query], Answer]], clock: IReactorTime) -> None:
        self._answers = answers
        self._clock = clock
        self._open: set[StatusProtocol] = set()

    def buildProtocol(self, addr: IAddress | None) -> StatusProtocol | None:
        """Make a protocol, or none if there are too many connections."""
        if len(self._open) >= MAX_CONNECTIONS:
            return None
        protocol = StatusProtocol()
        self._open.add(protocol)
        protocol.callLater = self._clock.callLater  # type: ignore[assignment, method-assign]
        protocol.factory = self
        return protocol

    def forget(self, protocol: StatusProtocol) -> None:
        """Forget a connection that has ended."""
        self._open.discard(protocol)

    def close(self) -> None:
        """Close all connections at once."""
        for protocol in list(self._open):
            protocol.abort()

    def answer(self, query: Query) -> Answer:
        """Return the answer; raises ValueError if the query is invalid."""
        ask = query.get("ask")
        function = self._answers.get(ask) if isinstance(ask, str) else None
        if function is None:
            known = ", ".join(sorted(self._answers))
            raise ValueError(f"ask is {ask!r:.{_MAX_QUOTED}}, which is none of {known}")
        return function(query)
