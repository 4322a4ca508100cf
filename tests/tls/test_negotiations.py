from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.support import exchange, patch_reactor_clock
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    client_tls,
    foreign_client,
    foreign_server,
    server_tls,
)
from tests.tls.negotiating_end import SECRET, SECURED, UPGRADING_MODES, NegotiatingEnd, with_secret
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.starttls.imap import ImapClient
from tlsdemo.starttls.immediate import ImmediateClient
from tlsdemo.starttls.line import LineServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.pop3 import Pop3Client
from tlsdemo.starttls.postgres import PostgresClient, PostgresDirectClient, PostgresServer
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.smtp import SmtpClient, SmtpServer
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.tls import ModeName
from tlsdemo.tls.upgrade_protocol import SNIFFING_TIME

ALPN = ("postgresql",)


class NegotiationCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def server(
        self, negotiation: Negotiation, mode: ModeName = ModeName.STARTTLS
    ) -> NegotiatingEnd:
        end = NegotiatingEnd(mode, server_tls(alpn=ALPN), negotiation, clock=self.clock)
        end.begin()
        end.take()
        return end

    def client(
        self, negotiation: Negotiation, mode: ModeName = ModeName.STARTTLS
    ) -> NegotiatingEnd:
        end = NegotiatingEnd(mode, client_tls(alpn=ALPN), negotiation, clock=self.clock)
        with_secret(end).begin()
        end.take()
        return end


class AgreeingTests(NegotiationCase):
    def test_both_ends_become_secure_in_every_dialect_and_mode(self) -> None:
        for mode in UPGRADING_MODES:
            for dialect in DIALECTS.values():
                server, client = (
                    NegotiatingEnd(mode, tls, negotiation, clock=self.clock)
                    for tls, negotiation in (
                        (server_tls(alpn=ALPN), dialect.server()),
                        (client_tls(alpn=ALPN), dialect.client()),
                    )
                )
                server.begin()
                client.begin()
                exchange(client.transport, server.transport)
                client.stream.write(b"question")
                exchange(client.transport, server.transport)
                server.stream.write(b"answer")
                exchange(client.transport, server.transport)
                self.assertEqual(server.log, [*SECURED, b"question"], dialect.name)
                self.assertEqual(client.log, [*SECURED, b"answer"], dialect.name)

    def test_both_know_whether_plaintext_was_exchanged_before_tls(self) -> None:
        for dialect in DIALECTS.values():
            servers = {dialect.server(): dialect.client()}
            if dialect.negotiates:
                servers[AutoServer(dialect.server)] = ImmediateClient()
            for server, client in servers.items():
                ends = (
                    NegotiatingEnd(ModeName.PAIR, server_tls(alpn=ALPN), server, clock=self.clock),
                    NegotiatingEnd(ModeName.PAIR, client_tls(alpn=ALPN), client, clock=self.clock),
                )
                for end in ends:
                    end.begin()
                exchange(ends[1].transport, ends[0].transport)
                expected = dialect.negotiates and not isinstance(client, ImmediateClient)
                for end in ends:
                    assert end.listener.info is not None, dialect.name
                    self.assertEqual(end.listener.info.upgraded, expected, dialect.name)

    def test_the_timeline_records_when_tls_was_started(self) -> None:
        server = self.server(LineServer())
        self.assertEqual(server.observer.names, ["connected"])
        server.receive(b"STARTTLS\r\n")
        self.assertEqual(server.observer.names, ["connected", "startTLS called"])
        server.transport.lose(ConnectionDone())

    def test_mode_wrapped_has_no_negotiation(self) -> None:
        end = NegotiatingEnd(ModeName.WRAPPED, server_tls(), clock=self.clock)
        end.begin().exchange_with(foreign_client())
        self.assertEqual(end.log, SECURED)


class RefusalTests(NegotiationCase):
    def check_refused(self, end: NegotiatingEnd, cause: str, farewell: bytes) -> None:
        self.assertTrue(end.sent.endswith(farewell), end.sent)
        self.assertFalse(end.transport.connected)
        self.assertFalse(end.transport.aborted)
        self.assertEqual(end.log, [f"insecure: {cause}"])
        self.assertEqual(end.observer.names[-2:], ["upgrade refused", "insecure"])
        self.assertNotIn(SECRET, end.sent)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_is_sent_then_the_connection_is_closed_and_the_listener_called_once(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.server(SmtpServer(), mode)
            server.receive(b"QUIT\r\n")
            self.check_refused(server, "probe", b"221 2.0.0 Bye\r\n")

    def test_waits_until_the_last_bytes_have_been_sent(self) -> None:
        server = self.server(SmtpServer())
        server.transport.deliver(b"QUIT\r\n")
        self.assertTrue(server.transport.connected)
        self.assertEqual(server.log, [])

    def test_is_final(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.server(SmtpServer(), mode)
            server.transport.deliver(b"QUIT\r\n")
            server.transport.deliver(b"EHLO a\r\nSTARTTLS\r\n")
            server.transport.deliver(foreign_client().take())
            server.receive(b"")
            self.check_refused(server, "probe", b"221 2.0.0 Bye\r\n")

    def test_of_a_client_comes_before_anything_secret(self) -> None:
        cases: list[tuple[Negotiation, list[bytes], str, bytes]] = [
            (SmtpClient(), [b"220 a\r\n", b"250 a\r\n"], "peer offers no TLS", b"QUIT\r\n"),
            (SmtpClient(), [b"220 a\r\n", b"250 STARTTLS\r\n", b"454 no\r\n"], "peer refused TLS",
             b"QUIT\r\n"),
            (SmtpClient(), [b"554 go away\r\n"], "peer refused TLS", b"QUIT\r\n"),
            (PostgresClient(), [b"N"], "peer offers no TLS", b""),
            (ImapClient(), [b"* PREAUTH welcome\r\n"], "peer refused TLS", b"LOGOUT\r\n"),
            (Pop3Client(), [b"+OK\r\n", b"+OK\r\n.\r\n"], "peer offers no TLS", b"QUIT\r\n"),
            (Pop3Client(), [b"+OK\r\n+OK\r\n"], "injected plaintext", b"QUIT\r\n"),
        ]  # fmt: skip
        for negotiation, received, cause, farewell in cases:
            client = self.client(negotiation)
            client.receive(*received)
            self.check_refused(client, cause, farewell)

    def test_of_too_much_plaintext_has_a_cause_of_its_own(self) -> None:
        server = self.server(SmtpServer(max_plain=100))
        server.receive(b"x" * 101)
        farewell = b"421 4.7.0 tlsdemo closes: plain bytes where TLS was to start\r\n"
        self.check_refused(server, "too much before TLS", farewell)


class ConnectionLostBeforeTLSTests(NegotiationCase):
    def test_calls_the_listener_once_whatever_the_reason(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            for mode in UPGRADING_MODES:
                server = self.server(SmtpServer(), mode)
                server.receive(b"EHLO a\r\nSTART")
                server.transport.lose(reason)
                self.assertEqual(server.log, ["insecure: probe"])
                assert server.listener.close_reason is not None
                self.assertIn("before it requested TLS", server.listener.close_reason.detail)

    def test_calls_the_listener_of_a_client_in_the_middle_of_its_negotiation(self) -> None:
        client = self.client(SmtpClient())
        client.receive(b"220 a\r\n")
        client.transport.lose(ConnectionDone())
        self.assertEqual(client.log, ["insecure: handshake interrupted"])
        self.assertNotIn(SECRET, client.sent)


class AbortTests(NegotiationCase):
    def test_ends_the_negotiation_with_the_reason_that_was_given_first(self) -> None:
        server = self.server(SmtpServer())
        server.protocol.abort(CloseReason(Cause.ABORTED))
        server.protocol.abort(CloseReason(Cause.IDLE))
        self.assertTrue(server.transport.aborted)
        server.transport.turn()
        self.assertEqual(server.log, ["insecure: aborted by us"])

    def test_ends_the_handshake(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.server(LineServer(), mode)
            server.receive(b"STARTTLS\r\n")
            server.protocol.abort(CloseReason(Cause.ABORTED))
            self.assertTrue(server.transport.aborted)
            server.transport.turn()
            self.assertEqual(server.log, ["insecure: aborted by us"])

    def test_ends_what_is_secure(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.server(LineServer(), mode)
            server.receive(b"STARTTLS\r\n")
            peer = foreign_client()
            server.exchange_with(peer)
            server.protocol.abort(CloseReason(Cause.ABORTED))
            peer.write(b"too late")
            server.transport.deliver(peer.take())
            self.assertEqual(server.log[:4], [*SECURED, "ended: aborted by us"])
            self.assertEqual(server.application.received, [])


class AutoServerTests(NegotiationCase):
    """A server that accepts TLS from the first byte as well, and greets if nothing has arrived."""

    def auto(self, mode: ModeName = ModeName.STARTTLS) -> NegotiatingEnd:
        return self.server(AutoServer(SmtpServer), mode)

    def test_greets_a_client_that_waits_for_it_after_a_moment(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.auto(mode)
            self.clock.advance(SNIFFING_TIME - 0.01)
            self.assertEqual(server.transport.take(), b"")
            self.clock.advance(0.01)
            self.assertEqual(server.transport.take(), b"220 tlsdemo ESMTP\r\n")
            self.assertEqual(self.clock.getDelayedCalls(), [])
            server.receive(b"EHLO a\r\n", b"STARTTLS\r\n")
            server.exchange_with(foreign_client())
            self.assertEqual(server.log, SECURED)

    def test_accepts_a_client_hello_at_once(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.auto(mode)
            server.exchange_with(foreign_client())
            self.assertEqual(server.log, SECURED)
            self.clock.advance(SNIFFING_TIME)
            self.assertEqual(server.transport.take(), b"")
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_greets_a_client_that_speaks_first_once(self) -> None:
        server = self.auto()
        server.receive(b"EHLO a\r\n")
        self.clock.advance(SNIFFING_TIME)
        self.assertEqual(server.sent.count(b"220"), 1)

    def test_leaves_no_delayed_call_when_the_client_disconnects(self) -> None:
        server = self.auto()
        server.transport.lose(ConnectionDone())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(server.log, ["insecure: probe"])

    def test_does_not_wait_where_the_client_speaks_first(self) -> None:
        self.server(AutoServer(PostgresServer))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_sends_nothing_by_itself_if_nothing_came(self) -> None:
        self.assertEqual(SmtpServer().nothing_came(), [])


class RequiredALPNTests(NegotiationCase):
    def test_accepts_a_client_that_offers_it(self) -> None:
        for mode in UPGRADING_MODES:
            server = self.server(PostgresServer(), mode)
            server.exchange_with(foreign_client(alpn=ALPN))
            self.assertEqual(server.log, SECURED)

    def test_rejects_a_client_that_does_not(self) -> None:
        for mode in UPGRADING_MODES:
            peer = foreign_client()
            server = NegotiatingEnd(mode, server_tls(alpn=ALPN), PostgresServer(), clock=self.clock)
            server.until_complete(peer)
            peer.write(b"in one segment with Finished")
            server.exchange_with(peer)
            self.check_rejected(server, "handshake completed")

    def test_sends_the_alert_to_a_client_that_offers_only_others(self) -> None:
        for mode in UPGRADING_MODES:
            for version in (TLS12, TLS13):
                peer = foreign_client(alpn=("h2",), version=version)
                server = self.server(PostgresServer(), mode)
                server.exchange_with(peer)
                self.check_rejected(server)
                self.assertIn("alert no application protocol", str(peer.error))

    def test_is_preferred_to_what_the_server_prefers_otherwise(self) -> None:
        for mode in UPGRADING_MODES:
            tls = server_tls(alpn=("h2", *ALPN))
            server = NegotiatingEnd(mode, tls, PostgresServer(), clock=self.clock).begin()
            server.exchange_with(foreign_client(alpn=("h2", *ALPN)))
            self.assertEqual(server.log, SECURED)

    def check_rejected(self, end: NegotiatingEnd, *before: str) -> None:
        self.assertEqual(end.log, [*before, "insecure: protocol error"])
        assert end.listener.close_reason is not None
        self.assertEqual(end.listener.close_reason.detail, "ALPN 'postgresql' was not negotiated")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_rejects_a_server_that_does_not_agree(self) -> None:
        for mode in UPGRADING_MODES:
            client = NegotiatingEnd(
                mode, client_tls(alpn=ALPN), PostgresDirectClient(), clock=self.clock
            )  # fmt: skip
            with_secret(client).begin().exchange_with(foreign_server())
            self.check_rejected(client, "handshake completed")

    def test_is_not_required_after_an_ssl_request(self) -> None:
        server = self.server(PostgresServer())
        server.receive((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"))
        server.exchange_with(foreign_client())
        self.assertEqual(server.log, SECURED)
