from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineOnlyReceiver, LineReceiver
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.support import MemoryTransport, Recorder, RecordingObserver, exchange
from tests.tls.memory_ends import client_tls, foreign_client, foreign_server, server_tls
from tlsdemo.close_reasons import Cause
from tlsdemo.testing import StartTLSTransport
from tlsdemo.tls import (
    ConnectionInfo,
    Delivery,
    Insecure,
    ModeName,
    SecurePair,
    Timeouts,
    TransportOptions,
    UpgradeMixin,
    upgrade,
)


class LineServer(UpgradeMixin, LineReceiver):
    """Answers STARTTLS, and says back every other line."""

    clock: Clock
    tls = server_tls()
    made = 0

    def __init__(self, clock: Clock, mode: ModeName | str = ModeName.PAIR) -> None:
        self.clock = clock
        self.upgrade_mode = mode
        self.lost: list[Failure] = []
        self.results: list[object] = []

    def connectionMade(self) -> None:
        self.made += 1
        self.sendLine(b"220 hello")

    def lineReceived(self, line: bytes) -> None:
        if line == b"STARTTLS":
            self.sendLine(b"220 go ahead")
            result = self.start_tls(self.tls, self.clock)
            result.addBoth(self.results.append)
        else:
            self.sendLine(b"250 " + line)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost.append(reason)


class LineClient(Protocol):
    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.lost: list[Failure] = []

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost.append(reason)


class UpgradeCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def connected(self, protocol: Any, *, is_client: bool = False) -> StartTLSTransport:
        transport = StartTLSTransport(protocol, is_client=is_client, clock=self.clock)
        transport.connect()
        return transport

    def reason_of(self, result: object) -> str:
        assert isinstance(result, Failure), result
        result.trap(Insecure)
        assert isinstance(result.value, Insecure)
        return str(result.value)


class LineProtocolTests(UpgradeCase):
    def test_a_line_protocol_upgrades_itself_and_stays_connected(self) -> None:
        for mode in (ModeName.PAIR, "starttls"):
            with self.subTest(mode=mode):
                server = LineServer(self.clock, mode)
                transport = self.connected(server)
                transport.deliver(b"NOOP\r\nSTARTTLS\r\n")
                self.assertEqual(transport.take(), b"220 hello\r\n250 NOOP\r\n220 go ahead\r\n")
                peer = foreign_client()
                exchange(transport, peer)
                peer.write(b"one\r\ntwo\r\n")
                exchange(transport, peer)
                self.assertEqual(peer.received, b"250 one\r\n250 two\r\n")
                self.assertEqual(server.made, 1)
                (info,) = server.results
                self.assertIs(server.connection_info, info)
                assert isinstance(info, ConnectionInfo)
                self.assertEqual(info.version, "TLSv1.3")
                peer.close()
                exchange(transport, peer)
                self.assertEqual(len(server.lost), 1)

    def test_bytes_of_the_hello_in_the_same_segment_go_to_tls(self) -> None:
        server = LineServer(self.clock)
        transport = self.connected(server)
        transport.take()
        peer = foreign_client()
        transport.deliver(b"STARTTLS\r\n" + peer.take())
        self.assertTrue(transport.take().startswith(b"220 go ahead\r\n\x16"))

    def test_plaintext_behind_the_request_is_refused(self) -> None:
        server = LineServer(self.clock)
        transport = self.connected(server)
        transport.take()
        transport.deliver(b"STARTTLS\r\nMAIL FROM:<mallory@example.com>\r\n")
        transport.turn()
        (result,) = server.results
        self.assertIn("33 bytes arrived", self.reason_of(result))
        self.assertEqual(len(server.lost), 1)

    def test_a_second_request_is_an_error_of_the_caller(self) -> None:
        server = LineServer(self.clock)
        transport = self.connected(server)
        transport.deliver(b"STARTTLS\r\n")
        error = self.assertRaises(RuntimeError, server.start_tls, server.tls)
        self.assertIn("refuse the request", str(error))

    def test_nothing_is_written_in_plaintext_during_the_handshake(self) -> None:
        server = LineServer(self.clock)
        transport = self.connected(server)
        transport.deliver(b"STARTTLS\r\n")
        self.assertRaises(RuntimeError, server.sendLine, b"too early")

    def test_a_receiver_that_keeps_its_lines_cannot_be_upgraded(self) -> None:
        class Keeps(UpgradeMixin, LineOnlyReceiver):
            """Goes on with the lines it has."""

        error = self.assertRaises(TypeError, Keeps().start_tls, server_tls())
        self.assertIn("Keeps has no clearLineBuffer; use a LineReceiver", str(error))


class FailureTests(UpgradeCase):
    def test_a_failed_handshake_ends_both_the_deferred_and_the_protocol(self) -> None:
        server = LineServer(self.clock)
        transport = self.connected(server)
        transport.take()
        transport.deliver(b"STARTTLS\r\n")
        transport.deliver(b"EHLO again\r\n")
        transport.take()  # The alert, among others.
        transport.turn()
        (result,) = server.results
        self.assertIn("plain bytes instead of TLS", self.reason_of(result))
        (lost,) = server.lost
        self.assertIsInstance(lost.value, Insecure)
        self.assertIsNone(server.connection_info)

    def test_a_silent_peer_is_given_up(self) -> None:
        client = LineClient()
        transport = self.connected(client, is_client=True)
        result = upgrade(
            transport, client_tls(), client, timeouts=Timeouts(0, 3, 0, 0), clock=self.clock
        )
        self.clock.advance(2.9)
        self.assertNoResult(result)
        self.clock.advance(0.1)
        transport.turn()
        self.assertIn("after 3 s", self.reason_of(self.failureResultOf(result)))
        self.assertEqual(len(client.lost), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_cancelled_upgrade_closes_the_connection(self) -> None:
        client = LineClient()
        transport = self.connected(client, is_client=True)
        result = upgrade(transport, client_tls(), client, clock=self.clock)
        result.cancel()
        self.failureResultOf(result)
        transport.turn()
        self.assertEqual(len(client.lost), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_client_refuses_whatever_comes_behind_the_consent(self) -> None:
        client = LineClient()
        transport = self.connected(client, is_client=True)
        result = upgrade(
            transport, client_tls(), client, leftover=b"\x16\x03\x01", clock=self.clock
        )
        failure = self.failureResultOf(result, Insecure)
        self.assertIs(failure.value.close_reason.cause, Cause.INJECTED_PLAINTEXT)
        transport.turn()
        self.assertEqual(len(client.lost), 1)
        self.assertEqual(transport.take(), b"")

    def test_the_wrong_mode_or_transport_is_refused_before_anything_happens(self) -> None:
        tls = client_tls()
        transport = self.connected(LineClient(), is_client=True)
        for mode, on, error, words in (
            ("wrapped", transport, ValueError, "'wrapped', which cannot begin in mid-stream"),
            ("clear", transport, ValueError, "'clear', which cannot begin"),
            ("none", transport, ValueError, "'none' is not a valid ModeName"),
            ("starttls", MemoryTransport(LineClient()), TypeError, "use 'pair'"),
            ("pair", StringTransport(), TypeError, "has no protocol or wrappedProtocol"),
            ("pair", None, TypeError, "None has no protocol or wrappedProtocol"),
        ):
            with self.subTest(mode=mode):
                raised = self.assertRaises(
                    error, upgrade, on, tls, LineClient(), mode=mode, clock=Clock()
                )
                self.assertIn(words, str(raised))
        self.assertEqual(transport.take(), b"")

    def test_options_of_twisted_are_refused_as_settings(self) -> None:
        options: Any = CertificateOptions()
        transport = self.connected(LineClient(), is_client=True)
        for make in (
            lambda: upgrade(transport, options, LineClient(), clock=Clock()),
            lambda: SecurePair(options, LineClient()),
        ):
            error = self.assertRaises(TypeError, make)
            self.assertIn("give a ServerTLS or a ClientTLS", str(error))

    def test_settings_that_cannot_be_used_leave_no_timer_behind(self) -> None:
        class Unusable:
            is_client = True

            def make(self, observer: object = None) -> Any:
                raise ValueError("nothing to make it from")

        client = LineClient()
        transport = self.connected(client, is_client=True)
        tls: Any = Unusable()
        self.assertRaises(ValueError, upgrade, transport, tls, client, clock=self.clock)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class OtherApplicationTests(UpgradeCase):
    def test_another_protocol_is_connected_when_the_connection_is_secure(self) -> None:
        before, application = LineClient(), Recorder()
        transport = self.connected(before, is_client=True)
        observer: Any = RecordingObserver(application.log)
        result = upgrade(transport, client_tls(), application, clock=self.clock, observer=observer)
        self.assertEqual(application.log, [])
        peer = foreign_server()
        exchange(transport, peer)
        self.assertEqual(self.successResultOf(result).version, "TLSv1.3")
        self.assertIn("connected", application.log)
        peer.write(b"hello")
        exchange(transport, peer)
        self.assertEqual(application.received, [b"hello"])
        assert application.transport is not None
        application.transport.loseConnection()
        exchange(transport, peer)
        self.assertEqual((before.received, before.lost), ([], []))

    def test_it_is_not_told_of_a_failure(self) -> None:
        application = Recorder()
        transport = self.connected(LineClient(), is_client=True)
        result = upgrade(transport, client_tls("other.example"), application, clock=self.clock)
        exchange(transport, foreign_server())
        failure = self.failureResultOf(result, Insecure)
        self.assertIs(failure.value.close_reason.cause, Cause.WRONG_NAME)
        self.assertEqual(application.log, [])

    def test_the_role_is_that_of_the_settings_whoever_has_opened_the_connection(self) -> None:
        for mode in (ModeName.PAIR, ModeName.STARTTLS):
            for tls, make_peer in ((server_tls(), foreign_client), (client_tls(), foreign_server)):
                for has_connected in (False, True):
                    transport = self.connected(LineClient(), is_client=has_connected)
                    application = transport.protocol
                    result = upgrade(transport, tls, application, mode=mode, clock=self.clock)
                    exchange(transport, make_peer())
                    self.assertEqual(self.successResultOf(result).version, "TLSv1.3")

    def test_the_application_keeps_its_interfaces(self) -> None:
        @implementer(IHalfCloseableProtocol)
        class Closeable(LineClient):
            ended = False

            def readConnectionLost(self) -> None:
                self.ended = True

            def writeConnectionLost(self) -> None: ...

        application = Closeable()
        transport = self.connected(application, is_client=True)
        upgrade(
            transport,
            client_tls(),
            application,
            transport_options=TransportOptions(Delivery.RECORD),
            clock=self.clock,
        )
        peer = foreign_server()
        exchange(transport, peer)
        peer.write(b"last")
        peer.close()
        exchange(transport, peer)
        self.assertEqual((application.received, application.ended), ([b"last"], True))

    def test_the_clock_is_that_of_the_transport_unless_another_is_given(self) -> None:
        client = LineClient()
        transport: Any = self.connected(client, is_client=True)
        del transport.reactor
        error = self.assertRaises(TypeError, upgrade, transport, client_tls(), client)
        self.assertIn("has no reactor; hand in a clock", str(error))
        transport.reactor = self.clock
        result = upgrade(transport, client_tls(), client)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        result.cancel()
        self.failureResultOf(result)
        transport.turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])
