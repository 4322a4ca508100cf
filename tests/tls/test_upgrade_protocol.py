from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.interfaces import IProtocol, IReactorTime
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import (
    AwaitedRecorder,
    ReadingRecorder,
    RecordingListener,
    RecordingObserver,
    factory_of,
    patch_reactor_clock,
)
from tests.tls.loopback_ends import SocketTestCase, both
from tests.tls.memory_ends import End, client_tls, foreign_client, server_tls
from tlsdemo.close_reasons import Cause
from tlsdemo.tls import (
    MODES,
    ClientTLS,
    ConnectionSettings,
    Delivery,
    Mode,
    ModeName,
    ServerTLS,
    Stream,
    UpgradeProtocol,
)

LARGE = b"0123456789abcdef" * 10_000


class UpgradeProtocolTests(SynchronousTestCase):
    def test_an_observer_sees_how_a_connection_is_secured(self) -> None:
        clock = patch_reactor_clock(self)
        for name, called in (
            (ModeName.STARTTLS, "startTLS called"),
            (ModeName.PAIR, "pair joined"),
            (ModeName.WRAPPED, "TLS from the first byte"),
            (ModeName.CLEAR, "left in the clear"),
        ):
            end = End(name, server_tls(), clock=clock).begin()
            self.assertEqual(end.observer.names, ["connected", called])
            verifyObject(IProtocol, end.protocol)

    def test_no_cleartext_is_transferred_before_tls(self) -> None:
        end = End(ModeName.STARTTLS, server_tls())
        self.assertEqual(end.protocol.transferred, 0)

    def test_nagles_algorithm_is_disabled_in_every_mode(self) -> None:
        clock = patch_reactor_clock(self)
        for name in ModeName:
            end = End(name, server_tls(), clock=clock).begin()
            self.assertTrue(end.transport.no_delay, name)

    def test_after_the_upgrade_the_transport_delivers_to_the_tls_layer(self) -> None:
        end = End(ModeName.STARTTLS, server_tls(), clock=patch_reactor_clock(self))
        end.begin()
        self.assertIsNot(end.transport.protocol, end.protocol)
        end.exchange_with(foreign_client())
        self.assertEqual(end.log, ["handshake completed", "secure", "connected"])

    def test_closing_after_the_peer_has_closed_keeps_unread_data(self) -> None:
        clock = patch_reactor_clock(self)
        for name in ModeName:
            if not MODES[name].encrypts:
                continue
            application = ReadingRecorder()
            tls, delivery = server_tls(), Delivery.READABLE
            end = End(name, tls, application=application, delivery=delivery, clock=clock)
            peer = foreign_client()
            end.secured_with(peer)
            peer.write(b"all of it")
            peer.close()
            end.exchange_with(peer)
            end.log.clear()
            end.stream.loseConnection()
            application.read_all()
            self.assertEqual(
                end.log, [b"all of it", "ended: clean", "lost: ConnectionDone", "read all"]
            )


class TCPEnd:
    """One end of a connection over sockets."""

    def __init__(self, mode: Mode, tls: ServerTLS | ClientTLS) -> None:
        time = IReactorTime(reactor)
        self.application = AwaitedRecorder()
        self.log = self.application.log
        self.listener = RecordingListener(self.log, self.application)
        self.observer = RecordingObserver(self.log)
        settings = ConnectionSettings(mode, tls)
        self.protocol = UpgradeProtocol(settings, self.listener, time, self.observer)
        self.factory = mode.wrap(tls, factory_of(self.protocol), time)

    @property
    def stream(self) -> Stream:
        assert self.protocol.stream is not None
        return self.protocol.stream


class TCPTests(SocketTestCase):
    async def joined(
        self, name: ModeName, server_tls: ServerTLS, client_tls: ClientTLS
    ) -> tuple[TCPEnd, TCPEnd]:
        server, client = TCPEnd(MODES[name], server_tls), TCPEnd(MODES[name], client_tls)
        await self.connect_tcp(server.factory, client.factory)
        self.addCleanup(lambda: client.stream.abortConnection())
        return server, client

    async def check_both_directions(self, name: ModeName) -> None:
        server, client = await self.joined(name, server_tls(), client_tls())
        await both(server.application.connection, client.application.connection)
        for sender, receiver in ((server, client), (client, server)):
            sender.stream.write(LARGE)
            received = await receiver.application.reception(len(LARGE))
            self.assertEqual(received, LARGE)
        client.stream.loseConnection()
        await both(server.application.loss, client.application.loss)
        begin = ["plain"] if name is ModeName.CLEAR else ["handshake completed", "secure"]
        for side in (server, client):
            log = [record for record in side.log if not isinstance(record, bytes)]
            self.assertEqual(log, [*begin, "connected", "ended: clean", "lost: ConnectionDone"])

    async def test_starttls_sends_data_in_both_directions(self) -> None:
        await self.check_both_directions(ModeName.STARTTLS)

    async def test_pair_sends_data_in_both_directions(self) -> None:
        await self.check_both_directions(ModeName.PAIR)

    async def test_wrapped_sends_data_in_both_directions(self) -> None:
        await self.check_both_directions(ModeName.WRAPPED)

    async def test_clear_sends_data_in_both_directions(self) -> None:
        await self.check_both_directions(ModeName.CLEAR)

    async def test_an_abort_is_a_truncation_for_the_peer(self) -> None:
        for name in (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED):
            server, client = await self.joined(name, server_tls(), client_tls())
            await both(server.application.connection, client.application.connection)
            client.stream.abortConnection()
            await both(server.application.loss, client.application.loss)
            assert server.listener.close_reason is not None
            assert client.listener.close_reason is not None
            causes = (server.listener.close_reason.cause, client.listener.close_reason.cause)
            self.assertEqual(causes, (Cause.TRUNCATED, Cause.ABORTED))
