"""The status service: answers queries for the counters of a server.

Queries and answers are JSON objects, one per line.  The answer to ``{"ask": "statistics"}`` is the
present value of all counters.  The answer to ``{"ask": "run", "name": …, "sent": …, "peers": […]}``
is the totals of the connections from those addresses, so that a load client learns what arrived.
The answer to anything else is ``{"error": …}``.

Whoever can connect might be no client of ours: a page in a browser, say.  So the first line has to
be a query of few bytes, and arrive soon, or the connection is closed; and when all places are
taken, those who have asked nothing yet lose theirs.  Nothing is read from a client that does not
read its answers.
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


MAX_CONNECTIONS = 16
"""Maximum number of open connections."""

MAX_FIRST_QUERY = 1024
"""Maximum length of the first query, in bytes."""

MAX_QUERY = 1 << 21
"""Maximum length of a later query: it can have the addresses of 65,536 connections."""

_MAX_QUOTED = 60
"""Maximum number of characters of a query that an error message quotes."""


@implementer(IPushProducer)
class StatusProtocol(LineOnlyReceiver, TimeoutMixin):
    """Answers one query after the other.

    A client whose first query does not arrive within ``patience`` seconds is disconnected, and one
    that sends no query, or reads no answer, for ``idle_timeout`` seconds, too.

    Attributes:
        trusted: Whether the first query has been answered.
    """

    delimiter = b"\n"
    MAX_LENGTH = MAX_FIRST_QUERY
    patience = 10.0
    idle_timeout = 3600.0
    trusted = False
    _closing = False

    def connectionMade(self) -> None:
        """Wait for the first query."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self.setTimeout(self.patience)

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
        """Answer one query; close after a first one that is not understood."""
        if self._closing:
            return
        factory = cast(StatusFactory, self.factory)
        try:
            query = json.loads(line)
            if not isinstance(query, dict):
                raise ValueError(f"not an object but {type(query).__name__}")
            answer = factory.answer(query)
        except (ValueError, RecursionError) as problem:
            self._refuse(f"not understood: {problem}")
            return
        self.trusted = True
        self.MAX_LENGTH = MAX_QUERY
        self.setTimeout(self.idle_timeout)
        self.sendLine(json.dumps(answer).encode())

    def _refuse(self, problem: str) -> None:
        self.sendLine(json.dumps({"error": problem}).encode())
        if not self.trusted:
            self._close()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long to buffer."""
        self.trusted = False
        self._refuse(f"a line of more than {self.MAX_LENGTH} bytes")

    def _close(self) -> None:
        self._closing = True
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
        self._open: dict[StatusProtocol, None] = {}

    def buildProtocol(self, addr: IAddress | None) -> StatusProtocol | None:
        """Make a protocol, or none if there are too many connections that have sent a query.

        Those that have not make room, the oldest first.
        """
        if len(self._open) >= MAX_CONNECTIONS:
            silent = next((each for each in self._open if not each.trusted), None)
            if silent is None:
                return None
            silent.abort()
            self.forget(silent)
        protocol = StatusProtocol()
        self._open[protocol] = None
        protocol.callLater = self._clock.callLater  # type: ignore[assignment, method-assign]
        protocol.factory = self
        return protocol

    def forget(self, protocol: StatusProtocol) -> None:
        """Forget a connection that has ended."""
        self._open.pop(protocol, None)

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
