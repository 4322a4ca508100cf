"""What a server promises if the ClientHello itself is the request for TLS."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.transcripts import cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_PLAIN, Command, Negotiation, Refuse, Say, Switch

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01"

hostile = settings(derandomize=True, max_examples=60)


class AcceptsClientHello(SynchronousTestCase):
    """``greeting`` is what the server sends at first, ``alpn`` what it then demands."""

    negotiation: ClassVar[type[Negotiation]]
    greeting: ClassVar[bytes] = b""
    alpn: ClassVar[bytes] = b""

    def greeted(self, guard: bool = True, max_plain: int = MAX_PLAIN) -> Negotiation:
        negotiation = self.negotiation(guard=guard, max_plain=max_plain)
        self.assertEqual(negotiation.start(), [Say(self.greeting)] if self.greeting else [])
        return negotiation

    def test_passes_a_client_hello_on_to_tls_however_it_is_cut(self) -> None:
        for guard in (True, False):
            for size in range(1, len(HELLO) + 1):
                negotiation = self.greeted(guard)
                self.assertEqual(negotiation.receive(b""), [])
                first = HELLO[:size]
                expected = Switch(leftover=first, alpn=self.alpn)
                self.assertEqual(negotiation.receive(first), [expected])

    def test_does_not_limit_a_client_hello(self) -> None:
        hello = HELLO + bytes(MAX_PLAIN)
        expected = Switch(leftover=hello, alpn=self.alpn)
        self.assertEqual(self.greeted().receive(hello), [expected])
        self.assertEqual(self.greeted(max_plain=1).receive(hello), [expected])


class Server(AcceptsClientHello):
    """For a server that accepts nothing else; ``plaintext`` is what a client without TLS sends."""

    plaintext: ClassVar[bytes]

    def outcome(self, text: bytes, size: int, guard: bool = True) -> list[Command]:
        negotiation = self.greeted(guard)
        commands: list[Command] = []
        for piece in cut(text, size):
            if not negotiation.state.final:
                commands += negotiation.receive(piece)
        return commands

    def check_refused(self, commands: list[Command]) -> None:
        (refuse,) = commands
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.PLAINTEXT)
        self.assertEqual(refuse.data, self.negotiation.refusal)

    def test_refuses_plaintext_even_in_front_of_a_client_hello_and_without_its_guard(self) -> None:
        for guard in (True, False):
            for text in (self.plaintext, self.plaintext + HELLO, b" " + HELLO, b"\r\n" + HELLO):
                for size in (1, 2, 7, 1000):
                    self.check_refused(self.outcome(text, size, guard))

    def test_does_not_quote_plaintext_which_may_hold_a_password(self) -> None:
        (refuse,) = self.outcome(b"SECRET", 1000)
        self.assertNotIn("SECRET", repr(refuse))

    def test_limits_what_arrives_before_tls(self) -> None:
        (refuse,) = self.greeted(max_plain=0).receive(self.plaintext)
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.TOO_MUCH_PLAINTEXT)

    def test_switches_for_nothing_but_the_first_byte_of_a_handshake(self) -> None:
        @hostile
        @given(st.binary(min_size=1, max_size=40), st.integers(1, 40))
        def holds(text: bytes, size: int) -> None:
            commands = self.outcome(text, size)
            if text[:1] == HELLO[:1]:
                self.assertEqual(commands, [Switch(leftover=text[:size])])
            else:
                self.check_refused(commands)

        holds()
