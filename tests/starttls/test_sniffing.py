from __future__ import annotations

from tests.starttls.transcripts import TranscriptTestCase, rendered
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.line import LineServer
from tlsdemo.starttls.negotiation import State, Switch
from tlsdemo.starttls.pop3 import Pop3Server
from tlsdemo.starttls.postgres import ALPN, PostgresServer
from tlsdemo.starttls.sniffing import AutoServer

HELLO = b"\x16\x03\x01"


class ClientHelloTests(TranscriptTestCase):
    def test_is_recognised_by_its_first_byte(self) -> None:
        for dialect in (LineServer, Pop3Server):
            for size in (1, 2, 100_000):
                hello = (HELLO * size)[:size]
                negotiation = AutoServer(dialect)
                self.assertEqual(negotiation.start(), [])
                self.assertEqual(negotiation.receive(b""), [])
                self.assertEqual(negotiation.receive(hello), [Switch(leftover=hello)])
                self.assertIs(negotiation.state, State.SWITCHED)
                self.assertEqual(negotiation.nothing_came(), [])
                self.assertRaises(RuntimeError, negotiation.receive, hello)
                self.assertRaises(RuntimeError, negotiation.receive, b"")

    def test_is_left_to_a_dialect_that_has_a_rule_for_it(self) -> None:
        negotiation = AutoServer(PostgresServer)
        self.assertEqual(negotiation.receive(HELLO), [Switch(leftover=HELLO, alpn=ALPN)])

    def test_is_refused_once_the_server_has_greeted(self) -> None:
        negotiation = AutoServer(Pop3Server)
        negotiation.nothing_came()
        self.assertEqual(negotiation.receive(HELLO), [])
        self.assertEqual(rendered("S", negotiation.receive(b"\r\n")), ["S: -ERR Say STLS first"])


class DialectTests(TranscriptTestCase):
    def test_starts_at_once_if_the_client_speaks_first(self) -> None:
        negotiation = AutoServer(LineServer)
        self.assertFalse(negotiation.awaits_first_byte)
        self.check(
            negotiation,
            r"""
            C: HELLO
            S: ERROR say STARTTLS
            C+ S
            C+ TARTTLS\r\n\x16
            S: OK
            S* TLS, beginning with b'\x16'
            """,
        )
        self.assertIs(negotiation.state, State.SWITCHED)
        self.assertRaises(RuntimeError, negotiation.receive, b"x")

    def test_starts_when_nothing_came_if_the_server_speaks_first(self) -> None:
        negotiation = AutoServer(Pop3Server)
        self.assertTrue(negotiation.awaits_first_byte)
        self.assertEqual(negotiation.start(), [])
        self.assertEqual(rendered("S", negotiation.nothing_came()), ["S: +OK tlsdemo"])
        self.assertEqual(negotiation.nothing_came(), [])
        self.check_further(
            negotiation,
            """
            C: STLS
            C: INJECTED
            S: -ERR Plain bytes where TLS was to start
            S* injected plaintext: 10 bytes arrived after the last message before TLS
            """,
        )
        self.assertEqual(negotiation.nothing_came(), [])
        self.assertIs(negotiation.state, State.REFUSED)

    def test_greets_a_client_that_did_not_wait_for_it(self) -> None:
        self.check(
            AutoServer(Pop3Server),
            """
            C: CAPA
            S: +OK tlsdemo
            S: +OK Capability list follows
            S: STLS
            S: .
            C: STLS
            S: +OK Begin TLS negotiation now
            S* TLS
            """,
        )

    def test_receives_the_guard_and_the_limits(self) -> None:
        negotiation = AutoServer(LineServer, guard=False, max_line=12, max_plain=30)
        commands = negotiation.receive(b"STARTTLS\r\nX")
        self.assertEqual(commands[-1], Switch(injected=b"X"))
        negotiation = AutoServer(LineServer, max_line=12, max_plain=30)
        (refusal,) = negotiation.receive(b"x" * 12)
        self.assertIn("12 bytes", str(refusal))
        negotiation = AutoServer(LineServer, max_line=12, max_plain=10)
        (refusal,) = negotiation.receive(b"x" * 12)
        self.assertIn("10 bytes", str(refusal))

    def test_cannot_be_one_that_starts_tls_at_once(self) -> None:
        self.assertRaises(ValueError, AutoServer, ImmediateServer)
