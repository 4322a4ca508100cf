"""The status service: what a server has counted, for those who ask.

One JSON object a line, in both directions.  ``{"ask": "statistics"}`` is answered with the
figures of the moment; ``{"ask": "run", "name": …, "sent": …, "peers": […]}`` with what became of
the connections that came from those addresses, which is how a load client learns what arrived.
Anything else is answered with ``{"error": …}``.

Who asks without taking the answers is asked no more: nothing is read from them until they do.
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
Question = dict[str, Any]


MOST_ASKERS = 64
"""Connections at once; one more is closed at once."""

_MOST_QUOTED = 60
"""Characters of a question that are said again in an answer."""


@implementer(IPushProducer)
class StatusProtocol(LineOnlyReceiver, TimeoutMixin):
    """Answers one line after the other.

    Who asks nothing for ``timeouts`` seconds, or takes none of the answers, is let go.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 22
    timeouts = 120.0

    def connectionMade(self) -> None:
        """Begin to wait."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self.setTimeout(self.timeouts)

    def pauseProducing(self) -> None:
        """Read no more questions: the answers are not taken."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        transport: Any = self.transport
        transport.resumeProducing()

    def stopProducing(self) -> None:
        """Nothing: the connection is gone."""

    def timeoutConnection(self) -> None:
        """Let go of who does not ask, or does not take the answers."""
        self.abort()

    def abort(self) -> None:
        """Close at once."""
        transport: Any = self.transport
        transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """Answer one question."""
        self.resetTimeout()
        factory = cast(StatusFactory, self.factory)
        try:
            question = json.loads(line)
            if not isinstance(question, dict):
                raise ValueError(f"not an object but {type(question).__name__}")
            answer = factory.answer(question)
        except (ValueError, RecursionError) as problem:
            answer = {"error": f"not understood: {problem}"}
        self.sendLine(json.dumps(answer).encode())

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse what would only fill the memory."""
        self.sendLine(
            json.dumps({"error": f"a line of more than {self.MAX_LENGTH} bytes"}).encode()
        )
        transport: Any = self.transport
        transport.unregisterProducer()
        transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        """Wait no more."""
        self.setTimeout(None)
        cast(StatusFactory, self.factory).forget(self)


class StatusFactory(Factory):
    """Answers by ``answers``, which has a function for each thing that can be asked.

    They are given the question and raise ValueError for what they cannot read.
    """

    noisy = False

    def __init__(
        self, answers: dict[str, Callable[[Question], Answer]], clock: IReactorTime
    ) -> None:
        self._answers = answers
        self._clock = clock
        self._asking: set[StatusProtocol] = set()

    def buildProtocol(self, addr: IAddress | None) -> StatusProtocol | None:
        """Make a protocol whose timeouts follow the clock, or none if there are too many."""
        if len(self._asking) >= MOST_ASKERS:
            return None
        protocol = StatusProtocol()
        self._asking.add(protocol)
        protocol.callLater = self._clock.callLater  # type: ignore[assignment, method-assign]
        protocol.factory = self
        return protocol

    def forget(self, protocol: StatusProtocol) -> None:
        """Be told that a connection is gone."""
        self._asking.discard(protocol)

    def close(self) -> None:
        """Close all connections at once."""
        for protocol in list(self._asking):
            protocol.abort()

    def answer(self, question: Question) -> Answer:
        """Return the answer; raises ValueError for a question that cannot be read."""
        ask = question.get("ask")
        function = self._answers.get(ask) if isinstance(ask, str) else None
        if function is None:
            known = ", ".join(sorted(self._answers))
            raise ValueError(f"ask is {ask!r:.{_MOST_QUOTED}}, which is none of {known}")
        return function(question)
