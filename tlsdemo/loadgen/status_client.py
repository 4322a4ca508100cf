"""A client of a server's status service."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.reporting.snapshot import Snapshot, counted

ANSWER_WITHIN = 30.0
"""Seconds that a status service may take to answer."""

_ANSWER_KEYS = {"statistics", "run", "error"}
"""Every answer has one of these keys."""


class StatusClient(LineOnlyReceiver):
    """One connection to a status service, which answers requests in their order.

    If an answer takes longer than `ANSWER_WITHIN`, the connection is aborted.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20
    transport: Any = None

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[Deferred[dict[str, Any]]] = deque()

    def ask(self, **request: object) -> Deferred[dict[str, Any]]:
        """Send a request, and return the answer; fails with ValueError if that is an error."""
        answer: Deferred[dict[str, Any]] = Deferred(self._cancel)
        if self.connected:
            self._waiting.append(answer)
            self.sendLine(json.dumps(request).encode())
            answer.addTimeout(ANSWER_WITHIN, self._clock)
        else:
            answer.errback(connectionDone)
        return answer

    def _cancel(self, answer: Deferred[dict[str, Any]]) -> None:
        self._waiting.remove(answer)
        self.transport.abortConnection()

    async def snapshot(self) -> Snapshot:
        """Return the server's current counters, and reset its maximum reactor lag."""
        answer = await self.ask(ask="statistics")
        return Snapshot.from_json(_fields(answer, "statistics"))

    async def run(self, name: str, sent: int, peers: Sequence[str]) -> dict[str, int]:
        """Return the totals of the connections from ``peers``, which have sent ``sent`` bytes."""
        answer = await self.ask(ask="run", name=name, sent=sent, peers=peers)
        return {each: counted(value) for each, value in _fields(answer, "run").items()}

    def lineReceived(self, line: bytes) -> None:
        """Fire the Deferred of the request that this line answers."""
        if not self._waiting:
            return
        waiting = self._waiting.popleft()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not (isinstance(answer, dict) and _ANSWER_KEYS & answer.keys()):
            waiting.errback(ValueError(f"{line[:60]!r} is no answer of a tlsdemo status service"))
        elif "error" in answer:
            waiting.errback(ValueError(answer["error"]))
        else:
            waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail all requests without an answer."""
        self.connected = 0
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.errback(reason)

    def close(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()


def _fields(answer: dict[str, Any], key: str) -> dict[str, Any]:
    fields = answer.get(key)
    if not isinstance(fields, dict):
        raise ValueError(f"its answer has no {key}")
    return fields


def connect_status_client(reactor: Any, where: str) -> Deferred[StatusClient]:
    """Connect to the status service at a client endpoint string."""
    endpoint = clientFromString(reactor, where)
    return cast("Deferred[StatusClient]", connectProtocol(endpoint, StatusClient(reactor)))
