"""Asks a server's status service."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.reporting.snapshot import Snapshot

ANSWER_WITHIN = 30.0
"""Seconds that a status service may take to answer."""

_ANSWERS = {"statistics", "run", "error"}
"""What an answer has one of."""


class StatusClient(LineOnlyReceiver):
    """One connection to a status service; questions are answered in their order.

    If one is not answered in time, nothing more is expected of the service.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20
    transport: Any = None

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[Deferred[dict[str, Any]]] = deque()

    def ask(self, **question: object) -> Deferred[dict[str, Any]]:
        """Return the answer; fails with ValueError if the server did not understand."""
        answer: Deferred[dict[str, Any]] = Deferred(self._give_up)
        if self.connected:
            self._waiting.append(answer)
            self.sendLine(json.dumps(question).encode())
            answer.addTimeout(ANSWER_WITHIN, self._clock)
        else:
            answer.errback(connectionDone)
        return answer

    def _give_up(self, answer: Deferred[dict[str, Any]]) -> None:
        self._waiting.remove(answer)
        self.transport.abortConnection()

    async def snapshot(self) -> Snapshot:
        """Return the server's figures of this moment, and have its greatest lag begin anew."""
        answer = await self.ask(ask="statistics")
        return Snapshot.from_json(answer["statistics"])

    def lineReceived(self, line: bytes) -> None:
        """Hand an answer to who waits for it."""
        if not self._waiting:
            return
        waiting = self._waiting.popleft()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not (isinstance(answer, dict) and _ANSWERS & answer.keys()):
            waiting.errback(ValueError(f"{line[:60]!r} is no answer of a tlsdemo status service"))
        elif "error" in answer:
            waiting.errback(ValueError(answer["error"]))
        else:
            waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave nobody waiting."""
        self.connected = 0
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.errback(reason)

    def close(self) -> None:
        """Ask no more."""
        self.transport.loseConnection()


def connect_status_client(reactor: Any, where: str) -> Deferred[StatusClient]:
    """Connect to the status service at a client endpoint string."""
    endpoint = clientFromString(reactor, where)
    return cast("Deferred[StatusClient]", connectProtocol(endpoint, StatusClient(reactor)))
