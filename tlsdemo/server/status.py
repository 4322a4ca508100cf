"""The status service: what a server has counted, for those who ask.

One JSON object a line, in both directions.  ``{"ask": "statistics"}`` is answered with the
figures of the moment; ``{"ask": "run", "name": …, "sent": …, "peers": […]}`` with what became of
the connections that came from those addresses, which is how a load client learns what arrived.
Anything else is answered with ``{"error": …}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver
from twisted.protocols.policies import TimeoutMixin

Answer = dict[str, Any]
Question = dict[str, Any]


class StatusProtocol(LineOnlyReceiver, TimeoutMixin):
    """Answers one line after the other; an idle asker is let go after ``patience`` seconds."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 22
    patience = 120.0

    def connectionMade(self) -> None:
        """Begin to wait."""
        self.setTimeout(self.patience)

    def timeoutConnection(self) -> None:
        """Let go of who does not ask."""
        assert self.transport is not None
        self.transport.loseConnection()

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
        assert self.transport is not None
        self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        """Wait no more."""
        self.setTimeout(None)


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

    def buildProtocol(self, addr: IAddress | None) -> StatusProtocol:
        """Make a protocol whose timeouts follow the clock that was handed in."""
        protocol = StatusProtocol()
        protocol.callLater = self._clock.callLater  # type: ignore[assignment, method-assign]
        protocol.factory = self
        return protocol

    def answer(self, question: Question) -> Answer:
        """Return the answer; raises ValueError for a question that cannot be read."""
        ask = question.get("ask")
        function = self._answers.get(ask) if isinstance(ask, str) else None
        if function is None:
            known = ", ".join(sorted(self._answers))
            raise ValueError(f"ask is {ask!r}, which is none of {known}")
        return function(question)
