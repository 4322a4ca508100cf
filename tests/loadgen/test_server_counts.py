"""What a load asks the status service of its server."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen import server_counts
from tlsdemo.loadgen.server_counts import ServerCounts


class _SlowClient:
    """A client of the status service, which connects when ``connected`` fires."""

    def __init__(self, connected: Deferred[None]) -> None:
        self._connected = connected
        self.calls: list[str] = []

    async def connect(self) -> None:
        await self._connected

    async def snapshot(self) -> None:
        self.calls.append("snapshot")

    def abort(self) -> None:
        self.calls.append("abort")


class ServerCountsTests(SynchronousTestCase):
    def test_aborted_while_it_connects_waits_for_nothing_and_asks_nothing(self) -> None:
        connected: Deferred[None] = Deferred()
        client = _SlowClient(connected)
        self.patch(server_counts, "StatusClient", lambda *_: client)
        counts = ServerCounts(Clock(), "tcp:127.0.0.1:1", self.fail)
        connecting = Deferred.fromCoroutine(counts.connect())
        counts.abort()
        self.successResultOf(connecting)
        self.successResultOf(Deferred.fromCoroutine(counts.connect()))
        self.assertIsNone(self.successResultOf(Deferred.fromCoroutine(counts.snapshot())))
        self.assertEqual(client.calls, [])
