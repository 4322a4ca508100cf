from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from tests.support import AwaitedRecorder, factory_of
from tests.tls.loopback_ends import SocketTestCase, both
from tests.tls.memory_ends import client_tls, server_tls
from tlsdemo.tls import ClientTLS, SecurePair, ServerTLS

LARGE = b"0123456789abcdef" * 4096


class RecordingPair:
    """A pair with a recording application."""

    def __init__(self, tls: ServerTLS | ClientTLS) -> None:
        self.application = AwaitedRecorder()
        self.pair = SecurePair(tls, self.application)
        self.factory = factory_of(self.pair.encrypted)


class SocketTests(SocketTestCase):
    def setUp(self) -> None:
        self.server, self.client = RecordingPair(server_tls()), RecordingPair(client_tls())

    async def secured(self, connect: Any) -> None:
        await connect(self.server.factory, self.client.factory)
        self.addCleanup(self.client.pair.cleartext.abortConnection)
        infos = await both(self.server.pair.secured(), self.client.pair.secured())
        self.assertEqual([agreed.version for agreed in infos], ["TLSv1.3"] * 2)

    async def closed(self) -> None:
        self.client.pair.cleartext.loseConnection()
        await both(self.server.application.loss, self.client.application.loss)
        for side in (self.server, self.client):
            self.assertEqual(side.application.log[-1], "lost: ConnectionDone")

    async def check_both_directions(self, connect: Any) -> None:
        await self.secured(connect)
        for sender, receiver in ((self.server, self.client), (self.client, self.server)):
            sender.pair.cleartext.write(LARGE)
            self.assertEqual(await receiver.application.reception(len(LARGE)), LARGE)
        await self.closed()

    async def test_data_is_sent_in_both_directions_over_tcp(self) -> None:
        await self.check_both_directions(self.connect_tcp)

    async def test_data_is_sent_in_both_directions_over_a_unix_socket(self) -> None:
        await self.check_both_directions(self.connect_unix)

    async def test_a_pull_producer_is_resumed_until_it_has_finished(self) -> None:
        await self.secured(self.connect_tcp)
        cleartext = self.server.pair.cleartext
        cleartext.registerProducer(PullProducer(cleartext, 5), False)
        received = await self.client.application.reception(5 * len(LARGE))
        self.assertEqual(received, LARGE * 5)
        await self.closed()

    async def test_a_paused_reader_pauses_the_producer_at_the_other_end(self) -> None:
        await self.secured(self.connect_tcp)
        producer = PushProducer(self.server.pair.cleartext)
        self.client.pair.cleartext.pauseProducing()
        self.server.pair.cleartext.registerProducer(producer, True)
        producer.resumeProducing()
        await producer.paused
        self.assertEqual(self.client.application.received, [])
        self.client.pair.cleartext.resumeProducing()
        await producer.resumed
        self.server.pair.cleartext.unregisterProducer()
        received = await self.client.application.reception(producer.written)
        self.assertEqual(received, LARGE * (producer.written // len(LARGE)))
        await self.closed()


@implementer(IPullProducer)
class PullProducer:
    """Writes a number of times, once for each call of ``resumeProducing``."""

    def __init__(self, consumer: Any, times: int) -> None:
        self._consumer = consumer
        self._times = times

    def resumeProducing(self) -> None:
        self._times -= 1
        self._consumer.write(LARGE)
        if not self._times:
            self._consumer.unregisterProducer()

    def stopProducing(self) -> None:
        """Do nothing: a pull producer never writes by itself."""


@implementer(IPushProducer)
class PushProducer:
    """Writes until it is paused for the first time."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.written = 0
        self.paused: Deferred[None] = Deferred()
        self.resumed: Deferred[None] = Deferred()

    def resumeProducing(self) -> None:
        if self.paused.called:
            self.resumed.callback(None)
        while not self.paused.called:
            self.written += len(LARGE)
            self._consumer.write(LARGE)

    def pauseProducing(self) -> None:
        self.paused.callback(None)

    def stopProducing(self) -> None:
        """The test is over."""
