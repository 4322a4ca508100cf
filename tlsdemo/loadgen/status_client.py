"""A client of a server's status service."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from tlsdemo.net.runtime_folder import check_usual
from tlsdemo.reporting.snapshot import Snapshot, counted

ANSWER_WITHIN = 30.0
"""Seconds that a status service may take to answer."""

PEERS_PER_QUERY = 200
"""Number of addresses in one query; a server takes no more."""

_ANSWER_KEYS = {"statistics", "run", "error"}
"""Every answer has one of these keys."""

RUN_COUNTS = ("unknown", "open", "arrived")
"""The counts that the answer to a query for a run has to have."""

_MAX_QUOTED = 200
"""Maximum number of characters of an answer that an error message quotes."""

_Result = TypeVar("_Result")


class StatusConnection(LineOnlyReceiver):
    """One connection to a status service, which answers requests in their order.

    If an answer takes longer than `ANSWER_WITHIN`, the connection is aborted.
    """

    delimiter = b"\n"
    MAX_LENGTH = 1 << 16
    transport: Any = None

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[Deferred[dict[str, Any]]] = deque()
        self._lost = connectionDone

    def ask(self, **request: object) -> Deferred[dict[str, Any]]:
        """Send a request, and return the answer.

        Fails with ValueError if that is an error, and with TimeoutError without one in time.
        """
        answer: Deferred[dict[str, Any]] = Deferred(self._cancel)
        if self.connected:
            self._waiting.append(answer)
            self.sendLine(json.dumps(request).encode())
            answer.addTimeout(ANSWER_WITHIN, self._clock, _timed_out)
        else:
            answer.errback(self._lost)
        return answer

    def _cancel(self, answer: Deferred[dict[str, Any]]) -> None:
        self._waiting.remove(answer)
        self.transport.abortConnection()

    def lineReceived(self, line: bytes) -> None:
        """Fire the Deferred of the request that this line answers."""
        if not self._waiting:
            return
        waiting = self._waiting.popleft()
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not (isinstance(answer, dict) and _ANSWER_KEYS & answer.keys()):
            waiting.errback(_no_answer(line))
        elif "error" in answer:
            waiting.errback(ValueError(str(answer["error"])[:_MAX_QUOTED]))
        else:
            waiting.callback(answer)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Fail all requests without an answer."""
        self.connected = 0
        self._lost = reason
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.errback(reason)

    def close(self) -> None:
        """Close the connection."""
        self.transport.loseConnection()


class StatusClient:
    """A client of the status service at a client endpoint string.

    A server may close a connection on which nothing is asked, so a query is asked once more on a
    new one if that happens, but not after a server has not answered in time.
    """

    def __init__(self, reactor: Any, where: str) -> None:
        self._reactor = reactor
        self._where = where
        self._connection: StatusConnection | None = None

    async def connect(self) -> None:
        """Connect; raises OSError if a folder in which others could listen has the socket."""
        check_usual(self._where)
        endpoint = clientFromString(self._reactor, self._where)
        connecting = connectProtocol(endpoint, StatusConnection(self._reactor))
        self._connection = await cast("Deferred[StatusConnection]", connecting)

    async def listening(self) -> list[str]:
        """Return where the server listens, as endpoint strings."""
        answer = await self._asked(lambda connection: connection.ask(ask="statistics"))
        return cast("list[str]", answer["listening"])

    async def snapshot(self) -> Snapshot:
        """Return the server's current counters, and reset its maximum reactor lag."""
        answer = await self._asked(lambda connection: connection.ask(ask="statistics"))
        return Snapshot.from_json(_fields(answer, "statistics"))

    async def run(self, name: str, sent: int, peers: Sequence[str]) -> dict[str, int]:
        """Return the totals of the connections from ``peers``, as the server counts them."""

        async def ask(connection: StatusConnection) -> dict[str, Any]:
            rest = list(peers)
            while len(rest) > PEERS_PER_QUERY:
                part, rest = rest[:PEERS_PER_QUERY], rest[PEERS_PER_QUERY:]
                await connection.ask(ask="run", name=name, sent=sent, peers=part, more=True)
            return await connection.ask(ask="run", name=name, sent=sent, peers=rest)

        answer = await self._asked(ask)
        totals = _fields(answer, "run", RUN_COUNTS)
        return {each: counted(value) for each, value in totals.items()}

    async def _asked(self, ask: Callable[[StatusConnection], Awaitable[_Result]]) -> _Result:
        if self._connection is not None:
            try:
                return await ask(self._connection)
            except ConnectionAborted:
                raise
            except (ConnectionDone, ConnectionLost):
                pass
        await self.connect()
        assert self._connection is not None
        return await ask(self._connection)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    def abort(self) -> None:
        """Close the connection at once: what is asked fails, and is not asked again."""
        if self._connection is not None:
            self._connection.transport.abortConnection()


def _fields(answer: dict[str, Any], key: str, needed: Iterable[str] = ()) -> dict[str, Any]:
    fields = answer.get(key)
    if not isinstance(fields, dict) or not fields.keys() >= set(needed):
        raise _no_answer(answer)
    return fields


def _timed_out(_cancelled: object, seconds: float) -> Failure:
    return Failure(TimeoutError(f"it gave no answer within {seconds:g} s"))


def _no_answer(answer: object) -> ValueError:
    return ValueError(f"{answer!r:.{_MAX_QUOTED}} is no answer of a tlsdemo status service")
