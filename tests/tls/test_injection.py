"""Injected plaintext is never mistaken for data that was received through TLS."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.support import patch_reactor_clock
from tests.tls.memory_ends import client_tls, foreign_client, foreign_server, server_tls
from tests.tls.negotiating_end import (
    NEGOTIATING,
    SECRET,
    SECURED,
    UPGRADING_MODES,
    NegotiatingEnd,
    with_secret,
)
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import Delivery, ModeName

INJECTED = b"INJECTED injected\r\n"
REQUESTING = [dialect for dialect in NEGOTIATING if not dialect.client_hello_is_request]
REFUSED = {"injected plaintext", "plain bytes instead of TLS"}


def request(dialect: Dialect) -> bytes:
    """A client's last plaintext; nothing if its ClientHello is its request for TLS."""
    return b"".join(dialect.conversation.client[-1:])


class InjectionCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def server(self, dialect: Dialect, mode: ModeName, guard: bool = True) -> NegotiatingEnd:
        """A server before the client's request for TLS."""
        end = NegotiatingEnd(mode, server_tls(), dialect.server(guard), clock=self.clock)
        end.begin()
        end.receive(*dialect.conversation.client[:-1])
        return with_secret(end)

    def client(self, dialect: Dialect, mode: ModeName, guard: bool = True) -> NegotiatingEnd:
        """A client before the server's go-ahead."""
        end = NegotiatingEnd(mode, client_tls(), dialect.client(guard), clock=self.clock)
        end.begin()
        end.take()
        end.receive(*dialect.conversation.server[:-1])
        return with_secret(end)

    def check_nothing_reached(self, end: NegotiatingEnd, where: object) -> None:
        end.transport.turn()
        self.clock.advance(0)
        self.assertEqual(end.application.received, [], where)
        self.assertEqual(end.log, [f"insecure: {end.cause}"], where)
        self.assertIn(end.cause, REFUSED, where)
        self.assertNotIn(SECRET, end.sent, where)
        self.assertFalse(end.transport.connected, where)
        self.assertEqual(self.clock.getDelayedCalls(), [], where)


class InjectionMatrixTests(InjectionCase):
    """Each dialect, mode and end; the injected bytes are split at every position, or delayed."""

    def cuts(self, last: bytes) -> Iterator[list[bytes]]:
        whole = last + INJECTED
        for at in range(len(whole) + 1):
            yield [whole[:at], whole[at:]]
        yield [last, *(INJECTED[at : at + 1] for at in range(len(INJECTED)))]
        yield [bytes([each]) for each in whole]

    def check_servers(self, mode: ModeName) -> None:
        for dialect in NEGOTIATING:
            for pieces in self.cuts(request(dialect)):
                server = self.server(dialect, mode)
                server.receive(*pieces)
                # A handshake fails after it.
                peer = foreign_client()
                server.receive(peer.take(), b"")
                self.check_nothing_reached(server, (dialect.name, pieces))
                self.assertFalse(peer.complete)

    def check_clients(self, mode: ModeName) -> None:
        for dialect in NEGOTIATING:
            for pieces in self.cuts(dialect.conversation.server[-1]):
                client = self.client(dialect, mode)
                client.receive(*pieces)
                self.check_nothing_reached(client, (dialect.name, pieces))

    def test_of_servers_with_starttls(self) -> None:
        self.check_servers(ModeName.STARTTLS)

    def test_of_servers_with_pair(self) -> None:
        self.check_servers(ModeName.PAIR)

    def test_of_clients_with_starttls(self) -> None:
        self.check_clients(ModeName.STARTTLS)

    def test_of_clients_with_pair(self) -> None:
        self.check_clients(ModeName.PAIR)

    def test_of_clients_that_receive_everything_at_once(self) -> None:
        for mode in UPGRADING_MODES:
            for dialect in NEGOTIATING:
                client = NegotiatingEnd(mode, client_tls(), dialect.client(), clock=self.clock)
                with_secret(client).begin()
                client.receive(b"".join(dialect.conversation.server) + INJECTED)
                self.check_nothing_reached(client, dialect.name)


class GuardTests(InjectionCase):
    def test_accepts_a_client_hello_in_one_segment_with_the_request_however_it_is_cut(self) -> None:
        for mode in UPGRADING_MODES:
            for dialect in NEGOTIATING:
                plain = b"".join(dialect.conversation.server)
                for size in (1, 5, 6, 100, 1 << 16):
                    peer = foreign_client()
                    hello = peer.take()
                    server = self.server(dialect, mode)
                    last = request(dialect)
                    server.receive(last + hello[:size], hello[size:])
                    self.assertEqual(server.sent[: len(plain)], plain)
                    peer.receive(server.sent[len(plain) :])
                    server.exchange_with(peer)
                    self.assertEqual(server.log, SECURED, (dialect.name, mode, size))
                    peer.write(b"question")
                    server.exchange_with(peer)
                    self.assertEqual(server.application.received, [b"question"])
                    self.assertEqual(peer.received, SECRET)

    def test_a_client_hello_followed_by_plaintext_never_becomes_secure(self) -> None:
        for mode in UPGRADING_MODES:
            peer = foreign_client()
            server = self.server(DIALECTS["line"], mode)
            server.receive(b"STARTTLS\r\n" + peer.take() + INJECTED)
            peer.receive(server.sent.removeprefix(b"OK\r\n"))
            server.exchange_with(peer)
            self.check_nothing_reached(server, mode)

    def test_a_command_pipelined_before_the_request_is_answered_in_plaintext(self) -> None:
        for mode in UPGRADING_MODES:
            peer = foreign_client()
            server = self.server(DIALECTS["smtp"], mode)
            server.receive(b"MAIL FROM:<a@example>\r\nSTARTTLS\r\n")
            self.assertIn(b"530 5.7.0", server.sent)
            server.exchange_with(peer)
            self.assertEqual(server.log, SECURED)

    def test_without_it_bytes_injected_into_a_server_reach_its_application(self) -> None:
        for mode in UPGRADING_MODES:
            for delivery in (Delivery.RECORD, Delivery.COALESCED):
                for dialect in REQUESTING:
                    server = NegotiatingEnd(
                        mode, server_tls(), dialect.server(False), clock=self.clock,
                        delivery=delivery,
                    )  # fmt: skip
                    server.begin()
                    server.receive(*dialect.conversation.client[:-1], request(dialect) + INJECTED)
                    self.assertEqual(server.log, [])
                    server.exchange_with(foreign_client())
                    self.clock.advance(0)
                    self.assertEqual(server.log, [*SECURED, INJECTED], dialect.name)

    def test_without_it_bytes_injected_into_a_client_reach_its_application(self) -> None:
        for mode in UPGRADING_MODES:
            client = self.client(DIALECTS["smtp"], mode, guard=False)
            client.transport.deliver(DIALECTS["smtp"].conversation.server[-1] + INJECTED)
            client.exchange_with(foreign_server())
            self.clock.advance(0)
            self.assertEqual(client.log, [*SECURED, INJECTED])

    def test_without_it_a_rejected_connection_receives_nothing(self) -> None:
        server = self.server(DIALECTS["line"], ModeName.PAIR, guard=False)
        server.listener.application = None
        server.receive(b"STARTTLS\r\n" + INJECTED)
        server.exchange_with(foreign_client())
        self.clock.advance(0)
        self.assertEqual(server.log, ["handshake completed", "secure", "insecure: rejected by us"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
