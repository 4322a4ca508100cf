"""The status service: answers queries for the counters of a server.

Queries and answers are JSON objects, one per line.  The answer to ``{"ask": "statistics"}`` is the
present value of all counters.  The answer to ``{"ask": "run", "name": …, "sent": …, "peers": […]}``
is the totals of the connections from those addresses, so that a load client learns what arrived;
see `tlsdemo.proxy.run_query`.  The answer to anything else is ``{"error": …}``, and the end of the
connection.

Whoever can connect might be no client of ours: a page in a browser, say.  So every line has to be
a query of few bytes, and arrive soon once it has begun, or the connection is closed; and when all
places are taken, the client that has asked nothing for the longest time loses its own.  No query is
read while a client does not read its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, ILoggingContext, IPushProducer, IReactorTime
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from zope.interface import implementer

Answer = dict[str, Any]
Query = dict[str, Any]
Answering = Callable[[Query], "Answer | Deferred[Answer]"]
Answers = dict[str, Answering]


MAX_CONNECTIONS = 64
"""Maximum number of open connections."""

MAX_QUERY = 1 << 14
"""Maximum length of a query, in bytes."""

_MAX_QUOTED = 60
"""Maximum number of characters of a query that an error message quotes."""


@implementer(IPushProducer)
class StatusProtocol(LineReceiver, TimeoutMixin):
    """Answers one query after the other with the functions of ``answers``, by the value of ``ask``.

    The functions are called with the query, and raise ValueError if it is invalid.  If one returns
    a Deferred, the next query has to wait until that fires; it must not fail.

    A client is disconnected ``patience`` seconds after it has connected, has begun a query or has
    ceased to read its answers, unless it has completed that; and after ``idle_timeout`` seconds
    without a query.
    """

    delimiter = b"\n"
    MAX_LENGTH = MAX_QUERY
    patience: float | None = 10.0
    idle_timeout: float | None = 3600.0

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._is_idle = False
        self._is_within_query = False
        self._is_closing = False
        self._is_unread = False
        self._awaited: Deferred[Answer] | None = None

    def connectionMade(self) -> None:
        """Wait for the first query."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self._hurry()

    def dataReceived(self, data: bytes) -> None:
        """Answer the queries in ``data``, and limit the time until the last one is complete."""
        if self._is_closing:
            return
        if data:
            self._is_within_query = not data.endswith(self.delimiter)
        super().dataReceived(data)
        if self._is_within_query and self._is_idle:
            self._hurry()

    def pauseProducing(self) -> None:
        """Answer no more queries: the client does not read its answers."""
        self._is_unread = True
        super().pauseProducing()
        self._hurry()

    def resumeProducing(self) -> None:
        """Answer the next queries."""
        self._is_unread = False
        self._rest()
        if self._awaited is None:
            super().resumeProducing()

    def _hurry(self) -> None:
        self._is_idle = False
        self.setTimeout(self.patience)

    def _rest(self) -> None:
        self._is_idle = True
        self.setTimeout(self.idle_timeout)

    def timeoutConnection(self) -> None:
        """Disconnect a client that takes too long."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        transport: Any = self.transport
        transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """Answer one query; close after one that is not understood."""
        try:
            answer = self._answer(line)
        except (ValueError, RecursionError) as problem:
            self._refuse(f"not understood: {problem}")
            return
        self._rest()
        cast(StatusFactory, self.factory).note_query(self)
        if isinstance(answer, Deferred):
            super().pauseProducing()
            self._awaited = answer
            answer.addCallback(self._answered)
        else:
            self.sendLine(json.dumps(answer).encode())

    def _answered(self, answer: Answer) -> None:
        if self._awaited is None:
            # The client has gone away.
            return
        self._awaited = None
        self.sendLine(json.dumps(answer).encode())
        if not self._is_unread:
            super().resumeProducing()

    def _answer(self, line: bytes) -> Answer | Deferred[Answer]:
        query = json.loads(line)
        if not isinstance(query, dict):
            raise ValueError(f"not an object but {type(query).__name__}")
        ask = query.get("ask")
        function = self._answers.get(ask) if isinstance(ask, str) else None
        if function is None:
            known = ", ".join(sorted(self._answers))
            raise ValueError(f"ask is {ask!r:.{_MAX_QUOTED}}, which is none of {known}")
        return function(query)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long to buffer."""
        self._refuse(f"a line of more than {self.MAX_LENGTH} bytes")

    def _refuse(self, problem: str) -> None:
        self._is_closing = True
        self.clearLineBuffer()
        self._hurry()
        self.sendLine(json.dumps({"error": problem}).encode())
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        """Cancel the timeout, and await no answer."""
        self.setTimeout(None)
        self._awaited = None
        cast(StatusFactory, self.factory).forget(self)


@implementer(ILoggingContext)
class StatusFactory(Factory):
    """Makes the protocols, each with answers of its own from ``make_answers``."""

    noisy = False

    def __init__(self, make_answers: Callable[[], Answers], clock: IReactorTime) -> None:
        self._make_answers = make_answers
        self._clock = clock
        # The one that has asked nothing for the longest time is the first.
        self._open: dict[StatusProtocol, None] = {}

    def logPrefix(self) -> str:
        """Return the name that Twisted logs when a port is opened or closed."""
        return "the status service"

    def buildProtocol(self, addr: IAddress | None) -> StatusProtocol:
        """Make a protocol; if there are too many, the one idle for the longest time is closed."""
        if len(self._open) >= MAX_CONNECTIONS:
            idle = next(iter(self._open))
            idle.abort()
            self.forget(idle)
        protocol = StatusProtocol(self._make_answers())
        self._open[protocol] = None
        protocol.callLater = self._clock.callLater  # type: ignore[assignment, method-assign]
        protocol.factory = self
        return protocol

    def note_query(self, protocol: StatusProtocol) -> None:
        """Note that a connection has asked something."""
        self._open[protocol] = self._open.pop(protocol)

    def forget(self, protocol: StatusProtocol) -> None:
        """Forget a connection that has ended."""
        self._open.pop(protocol, None)

    def close(self) -> None:
        """Close all connections at once."""
        for protocol in list(self._open):
            protocol.abort()
