"""Half-closed connections through the whole server, over real sockets."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface import implementer

from tests.proxy import loopback_server as loopback
from tests.support import certificates
from tests.tls.memory_ends import foreign_client
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.tls import ClientAuth, Delivery, ModeName, ServerTLS

REQUEST = bytes(300_000)
DELIVERIES = (Delivery.RECORD, Delivery.COALESCED, Delivery.READABLE)


@implementer(IHalfCloseableProtocol)
class HalfClosing(loopback.Peer):
    """A peer over TCP that can finish sending, and notes when its peer has."""

    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.peer_finished: Deferred[None] = Deferred()

    def finish(self) -> None:
        """Send a FIN, and go on receiving."""
        self.transport.loseWriteConnection()

    def readConnectionLost(self) -> None:
        self.peer_finished.callback(None)

    def writeConnectionLost(self) -> None:
        """Do nothing: it is known."""


@implementer(IHalfCloseableProtocol)
class HalfClosingClient(loopback.TLSPeer):
    """A TLS client that sends close_notify and a FIN, and goes on receiving."""

    transport: Any

    def __init__(self) -> None:
        super().__init__(foreign_client())
        self.peer_finished: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self._tls.receive(data)
        self._flush()
        if self._tls.complete and not self._is_secure:
            self._is_secure = True
            self.made.callback(None)
        cleartext, self._tls.received = self._tls.received, b""
        self.take(cleartext)
        if self._tls.closed and not self.peer_finished.called:
            self.peer_finished.callback(None)

    def finish(self) -> None:
        """Send close_notify, and a FIN behind it."""
        self._tls.close()
        self._flush()
        self.transport.loseWriteConnection()

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: it is known."""


class AnsweringPeer(HalfClosing):
    """A backend that answers when its client has finished."""

    def readConnectionLost(self) -> None:
        super().readConnectionLost()
        self.send(b"%d bytes" % len(self._received))
        self.close()


def _same(peer: loopback.Peer) -> loopback.Peer:
    return peer


class HalfCloseLoopbackTests(loopback.LoopbackTestCase):
    async def connected(self, server: Server, mode: ModeName) -> Any:
        """A client that can be half-closed."""
        client = HalfClosing() if mode is ModeName.CLEAR else HalfClosingClient()
        return await self.connect(server, client)

    async def assert_clean(self, server: Server) -> None:
        await self.idle(server)
        snapshot = server.snapshot()
        self.assertEqual((snapshot.clean, snapshot.failures), (1, 0), self.log.lines)

    async def test_a_backend_answers_a_client_that_has_finished(self) -> None:
        for mode in ModeName:
            for delivery in DELIVERIES:
                backend = AnsweringPeer()
                where = await self.backend(partial(_same, backend))
                server = self.serve(mode, delivery, handler=HandlerName.PROXY, backend=where)
                client = await self.connected(server, mode)
                await client.made
                client.send(REQUEST)
                client.finish()
                self.assertEqual(await client.received(12), b"300000 bytes")
                await client.peer_finished
                client.close()
                await self.assert_clean(server)

    async def test_a_client_goes_on_sending_to_a_backend_that_has_finished(self) -> None:
        for mode in ModeName:
            for delivery in DELIVERIES:
                backend = HalfClosing()
                where = await self.backend(partial(_same, backend))
                server = self.serve(mode, delivery, handler=HandlerName.PROXY, backend=where)
                client = await self.connected(server, mode)
                await client.made
                client.send(b"hello")
                await backend.received(5)
                backend.send(b"all there is")
                backend.finish()
                self.assertEqual(await client.received(12), b"all there is")
                await client.peer_finished
                client.send(REQUEST)
                client.finish()
                self.assertEqual(len(await backend.received(5 + len(REQUEST))), 5 + len(REQUEST))
                await backend.peer_finished
                backend.close()
                await self.assert_clean(server)

    async def test_echo_sends_everything_back(self) -> None:
        for mode in ModeName:
            for delivery in DELIVERIES:
                server = self.serve(mode, delivery)
                client = await self.connected(server, mode)
                await client.made
                client.send(REQUEST)
                client.finish()
                self.assertEqual(await client.received(len(REQUEST)), REQUEST)
                await client.peer_finished
                client.close()
                await self.assert_clean(server)

    async def test_a_backend_over_tls_is_sent_close_notify_and_answers(self) -> None:
        backend = AnsweringPeer()
        where = await self.backend(lambda: backend)
        tls = ServerTLS.build(certificates().server, ClientAuth.NONE)
        inner = self.serve(ModeName.WRAPPED, handler=HandlerName.PROXY, backend=where, tls=tls)
        port = inner.listening()[0].rpartition(":")[2]
        outer = self.serve(
            ModeName.PAIR, handler=HandlerName.PROXY, backend=f"ssl:127.0.0.1:{port}"
        )
        client = await self.connected(outer, ModeName.PAIR)
        await client.made
        client.send(REQUEST)
        client.finish()
        self.assertEqual(await client.received(12), b"300000 bytes")
        await client.peer_finished
        client.close()
        for server in (inner, outer):
            await self.assert_clean(server)
