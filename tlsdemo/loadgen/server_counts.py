"""What the server counts of a load, by its status service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tlsdemo.loadgen.status_client import RUN_COUNTS, StatusClient
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls.connect_reasons import connect_reason

POLL_INTERVAL = 0.25
"""Seconds between two questions to the status service while the server drains."""


class ServerCounts:
    """Asks the status service at ``where``, a client endpoint string; ``None`` if there is none.

    Nothing raises: what is not known is ``None``, and ``on_problem`` is called with one line.
    """

    def __init__(
        self, reactor: Any, where: str | None, on_problem: Callable[[str], object]
    ) -> None:
        self._reactor = reactor
        self._where = where
        self._on_problem = on_problem
        self._client: StatusClient | None = None
        self._connecting: Deferred[None] | None = None
        self._aborted = False

    async def connect(self) -> None:
        """Connect to the service."""
        if self._where is None or self._aborted:
            return
        client = StatusClient(self._reactor, self._where)
        self._connecting = Deferred.fromCoroutine(client.connect())
        try:
            await self._connecting
        except Exception:
            if self._aborted:
                return
            why = connect_reason(Failure())
            self._on_problem(
                f"what arrives is not known: no status service at {self._where} ({why}); "
                "give --status, or --status=none for a server that is not tlsdemo"
            )
        else:
            self._client = client

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def abort(self) -> None:
        """Close the connection at once: what is asked, and what would be, is not known."""
        self._aborted = True
        client, self._client = self._client, None
        if client is not None:
            client.abort()
        elif self._connecting is not None:
            self._connecting.cancel()

    async def snapshot(self) -> Snapshot | None:
        """Return all that the server counts."""
        if self._client is None:
            return None
        try:
            return await self._client.snapshot()
        except Exception as problem:
            self._on_problem(f"the status service did not answer: {problem}")
            return None

    async def arrived(
        self, name: str, sent: int, peers: Sequence[str], timeout: float
    ) -> int | None:
        """Return the bytes that arrived of a run, which are all its ``peers`` have ``sent``.

        Polls until the server has drained, or nothing has changed for ``timeout`` seconds.
        """
        client = self._client
        if client is None:
            return None
        if any(not peer.rpartition(":")[2].isdecimal() for peer in peers):
            self._on_problem(
                "what arrived is not known: connections over a UNIX socket have no address "
                "by which the server could identify them"
            )
            return None
        last: dict[str, int] = {}
        quiet_since = self._reactor.seconds()
        while True:
            try:
                counts = await client.run(name, sent, peers)
                unknown, still_open, arrived = (counts[each] for each in RUN_COUNTS)
            except Exception as problem:
                self._on_problem(f"what arrived is not known: {problem}")
                return None
            if unknown:
                self._on_problem(
                    f"what arrived is not known: the server at {self._where} does not know "
                    f"{unknown} of our connections"
                )
                return None
            if still_open == 0:
                return arrived
            if counts != last:
                last, quiet_since = counts, self._reactor.seconds()
            elif self._reactor.seconds() - quiet_since > timeout:
                self._on_problem(f"the server has not drained {still_open} connections")
                return arrived
            await deferLater(self._reactor, POLL_INTERVAL, lambda: None)
