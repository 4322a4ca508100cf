from __future__ import annotations

from tests.upgrade.transcripts import TranscriptTestCase, told
from tlsdemo.upgrade.auto import AutoServer
from tlsdemo.upgrade.dialogue import State, Switch
from tlsdemo.upgrade.immediate import ImmediateServer
from tlsdemo.upgrade.line import LineServer
from tlsdemo.upgrade.pop3 import Pop3Server
from tlsdemo.upgrade.postgres import ALPN, PostgresServer

HELLO = b"\x16\x03\x01"


class ClientHelloTests(TranscriptTestCase):
    def test_is_taken_for_one_by_its_first_byte(self) -> None:
        for dialect in (LineServer, Pop3Server):
            for size in (1, 2, 100_000):
                hello = (HELLO * size)[:size]
                dialogue = AutoServer(dialect)
                self.assertEqual(dialogue.start(), [])
                self.assertEqual(dialogue.receive(b""), [])
                self.assertEqual(dialogue.receive(hello), [Switch(leftover=hello)])
                self.assertIs(dialogue.state, State.SWITCHED)
                self.assertEqual(dialogue.nothing_came(), [])
                self.assertRaises(RuntimeError, dialogue.receive, hello)
                self.assertRaises(RuntimeError, dialogue.receive, b"")

    def test_is_left_to_a_dialect_that_has_rules_for_it(self) -> None:
        dialogue = AutoServer(PostgresServer)
        self.assertEqual(dialogue.receive(HELLO), [Switch(leftover=HELLO, alpn=ALPN)])

    def test_comes_too_late_once_the_server_has_greeted(self) -> None:
        dialogue = AutoServer(Pop3Server)
        dialogue.nothing_came()
        self.assertEqual(dialogue.receive(HELLO), [])
        self.assertEqual(told("S", dialogue.receive(b"\r\n")), ["S: -ERR Say STLS first"])


class DialectTests(TranscriptTestCase):
    def test_begins_with_the_client_where_the_client_speaks_first(self) -> None:
        dialogue = AutoServer(LineServer)
        self.assertFalse(dialogue.awaits_first_byte)
        self.check(
            dialogue,
            r"""
            C: HELLO
            S: ERROR say STARTTLS
            C+ S
            C+ TARTTLS\r\n\x16
            S: OK
            S* TLS, beginning with b'\x16'
            """,
        )
        self.assertIs(dialogue.state, State.SWITCHED)
        self.assertRaises(RuntimeError, dialogue.receive, b"x")

    def test_begins_when_nothing_came_where_the_server_greets(self) -> None:
        dialogue = AutoServer(Pop3Server)
        self.assertTrue(dialogue.awaits_first_byte)
        self.assertEqual(dialogue.start(), [])
        self.assertEqual(told("S", dialogue.nothing_came()), ["S: +OK tlsdemo"])
        self.assertEqual(dialogue.nothing_came(), [])
        self.check_further(
            dialogue,
            """
            C: STLS
            C: INJECTED
            S: -ERR Plain bytes where TLS was to start
            S* injected plaintext: 10 bytes came in plain behind the words that start TLS
            """,
        )
        self.assertEqual(dialogue.nothing_came(), [])
        self.assertIs(dialogue.state, State.REFUSED)

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

    def test_has_the_guard_and_the_bounds_that_are_asked_for(self) -> None:
        dialogue = AutoServer(LineServer, guard=False, max_line=12, max_plain=30)
        commands = dialogue.receive(b"STARTTLS\r\nX")
        self.assertEqual(commands[-1], Switch(injected=b"X"))
        dialogue = AutoServer(LineServer, max_line=12, max_plain=30)
        (refusal,) = dialogue.receive(b"x" * 12)
        self.assertIn("12 bytes", str(refusal))
        dialogue = AutoServer(LineServer, max_line=12, max_plain=10)
        (refusal,) = dialogue.receive(b"x" * 12)
        self.assertIn("10 bytes", str(refusal))

    def test_cannot_be_one_without_words(self) -> None:
        self.assertRaises(ValueError, AutoServer, ImmediateServer)
