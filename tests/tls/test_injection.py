"""Bytes that came in plain never pass for something that came through TLS."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tests.support import patch_reactor_clock
from tests.tls.memory_ends import client_tls, foreign_client, foreign_server, server_tls
from tests.tls.negotiating import (
    MODES_WITH_WORDS,
    SECRET,
    SECURED,
    TALKATIVE,
    Talker,
    talk,
    tell_secrets,
)
from tlsdemo.starttls.registry import DIALECTS, Dialect, DialectName
from tlsdemo.tls import Delivery, ModeName

INJECTED = b"INJECTED injected\r\n"
REFUSED = {"injected plaintext", "plain bytes instead of TLS"}


class InjectionCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def server(self, dialect: Dialect, mode: ModeName, guard: bool = True) -> Talker:
        """A server that is about to be asked for TLS."""
        talker = Talker(mode, server_tls(), dialect.server(guard), clock=self.clock)
        talker.begin()
        talker.hear(*talk(dialect).client[:-1])
        return tell_secrets(talker)

    def client(self, dialect: Dialect, mode: ModeName, guard: bool = True) -> Talker:
        """A client that is about to be told to begin."""
        talker = Talker(mode, client_tls(), dialect.client(guard), clock=self.clock)
        talker.begin()
        talker.take()
        talker.hear(*talk(dialect).server[:-1])
        return tell_secrets(talker)

    def check_nothing_reached(self, talker: Talker, where: object) -> None:
        talker.transport.turn()
        self.clock.advance(0)
        self.assertEqual(talker.application.received, [], where)
        self.assertEqual(talker.log, [f"insecure: {talker.cause}"], where)
        self.assertIn(talker.cause, REFUSED, where)
        self.assertNotIn(SECRET, talker.said, where)
        self.assertFalse(talker.transport.connected, where)
        self.assertEqual(self.clock.getDelayedCalls(), [], where)


class Matrix(InjectionCase):
    """Each dialect, mode and role; what is injected cut at every position, or delayed."""

    def cuts(self, last: bytes) -> Iterator[list[bytes]]:
        whole = last + INJECTED
        for at in range(len(whole) + 1):
            yield [whole[:at], whole[at:]]
        yield [last, *(INJECTED[at : at + 1] for at in range(len(INJECTED)))]
        yield [bytes([each]) for each in whole]

    def check_servers(self, mode: ModeName) -> None:
        for dialect in TALKATIVE:
            for pieces in self.cuts(talk(dialect).client[-1]):
                server = self.server(dialect, mode)
                server.hear(*pieces)
                # Then a handshake is tried all the same.
                peer = foreign_client()
                server.hear(peer.take(), b"")
                self.check_nothing_reached(server, (dialect.name, pieces))
                self.assertFalse(peer.complete)

    def check_clients(self, mode: ModeName) -> None:
        for dialect in TALKATIVE:
            for pieces in self.cuts(talk(dialect).server[-1]):
                client = self.client(dialect, mode)
                client.hear(*pieces)
                self.check_nothing_reached(client, (dialect.name, pieces))

    def test_of_servers_with_starttls(self) -> None:
        self.check_servers(ModeName.STARTTLS)

    def test_of_servers_with_pair(self) -> None:
        self.check_servers(ModeName.PAIR)

    def test_of_clients_with_starttls(self) -> None:
        self.check_clients(ModeName.STARTTLS)

    def test_of_clients_with_pair(self) -> None:
        self.check_clients(ModeName.PAIR)

    def test_of_clients_that_are_told_everything_at_once(self) -> None:
        for mode in MODES_WITH_WORDS:
            for dialect in TALKATIVE:
                client = Talker(mode, client_tls(), dialect.client(), clock=self.clock)
                tell_secrets(client).begin()
                client.hear(b"".join(talk(dialect).server) + INJECTED)
                self.check_nothing_reached(client, dialect.name)


class BesidesInjection(InjectionCase):
    def test_a_hello_may_come_with_the_request_however_it_is_cut(self) -> None:
        for mode in MODES_WITH_WORDS:
            for dialect in TALKATIVE:
                plain = b"".join(talk(dialect).server)
                for size in (1, 5, 6, 100, 1 << 16):
                    peer = foreign_client()
                    hello = peer.take()
                    server = self.server(dialect, mode)
                    last = talk(dialect).client[-1]
                    server.hear(last + hello[:size], hello[size:])
                    self.assertEqual(server.said[: len(plain)], plain)
                    peer.receive(server.said[len(plain) :])
                    server.converse(peer)
                    self.assertEqual(server.log, SECURED, (dialect.name, mode, size))
                    peer.write(b"question")
                    server.converse(peer)
                    self.assertEqual(server.application.received, [b"question"])
                    self.assertEqual(peer.received, SECRET)

    def test_a_hello_that_ends_in_plain_bytes_never_becomes_secure(self) -> None:
        for mode in MODES_WITH_WORDS:
            peer = foreign_client()
            server = self.server(DIALECTS[DialectName.LINE], mode)
            server.hear(b"STARTTLS\r\n" + peer.take() + INJECTED)
            peer.receive(server.said.removeprefix(b"OK\r\n"))
            server.converse(peer)
            self.check_nothing_reached(server, mode)

    def test_nothing_passes_in_between_two_words(self) -> None:
        # Pipelined before the request, it is answered in plain, and forgotten.
        for mode in MODES_WITH_WORDS:
            peer = foreign_client()
            server = self.server(DIALECTS[DialectName.SMTP], mode)
            server.hear(b"MAIL FROM:<a@example>\r\nSTARTTLS\r\n")
            self.assertIn(b"530 5.7.0", server.said)
            server.converse(peer)
            self.assertEqual(server.log, SECURED)

    def test_what_a_server_without_its_guard_is_told_reaches_its_application(self) -> None:
        for mode in MODES_WITH_WORDS:
            for delivery in (Delivery.RECORD, Delivery.COALESCED):
                for dialect in TALKATIVE:
                    server = Talker(
                        mode, server_tls(), dialect.server(False), clock=self.clock,
                        delivery=delivery,
                    )  # fmt: skip
                    server.begin()
                    *before, last = talk(dialect).client
                    server.hear(*before, last + INJECTED)
                    self.assertEqual(server.log, [])
                    server.converse(foreign_client())
                    self.clock.advance(0)
                    self.assertEqual(server.log, [*SECURED, INJECTED], dialect.name)

    def test_what_a_client_without_its_guard_is_told_reaches_its_application(self) -> None:
        for mode in MODES_WITH_WORDS:
            client = self.client(DIALECTS[DialectName.SMTP], mode, guard=False)
            client.transport.deliver(talk(DIALECTS[DialectName.SMTP]).server[-1] + INJECTED)
            client.converse(foreign_server())
            self.clock.advance(0)
            self.assertEqual(client.log, [*SECURED, INJECTED])

    def test_a_rejected_connection_gets_nothing_even_without_the_guard(self) -> None:
        server = self.server(DIALECTS[DialectName.LINE], ModeName.PAIR, guard=False)
        server.listener.application = None
        server.hear(b"STARTTLS\r\n" + INJECTED)
        server.converse(foreign_client())
        self.clock.advance(0)
        self.assertEqual(server.log, ["handshake completed", "secure", "insecure: rejected by us"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
