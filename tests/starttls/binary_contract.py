"""What both roles of a protocol promise that does not consist of lines."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.starttls.transcripts import TranscriptTestCase, cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import Command, Negotiation, Refuse, Say, Switch

HELLO = b"\x16\x03\x01\x02"
INJECTED = b"INJECTED"

hostile = settings(derandomize=True, max_examples=60)


def plaintext(commands: Iterable[Command]) -> bytes:
    """Everything that is sent in plaintext."""
    return b"".join(each.data for each in commands if not isinstance(each, Switch))


class Contract(TranscriptTestCase):
    """``sent`` is what the peer sends up to the switch, one item for each turn.

    ``key`` is part of everything that leads to a switch; ``others`` are other messages of the peer.
    """

    negotiation: ClassVar[type[Negotiation]]
    sent: ClassVar[tuple[bytes, ...]]
    key: ClassVar[bytes]
    others: ClassVar[tuple[bytes, ...]] = ()

    @property
    def whole(self) -> bytes:
        """Everything that the peer sends."""
        return b"".join(self.sent)

    def fed(self, pieces: Iterable[bytes], guard: bool = True) -> list[Command]:
        """Everything that a negotiation does when it is fed ``pieces``, up to its end."""
        negotiation = self.negotiation(guard)
        commands = negotiation.start()
        for piece in pieces:
            if negotiation.state.final:
                break
            commands = commands + negotiation.receive(piece)
        ends = [each for each in commands if not isinstance(each, Say)]
        self.assertEqual(ends, commands[-1:] if negotiation.state.final else [])
        if negotiation.state.final:
            self.assertRaises(RuntimeError, negotiation.receive, b"\x16")
        return commands

    def test_switches_once_however_the_input_is_cut(self) -> None:
        whole = self.fed(self.sent)
        self.assertEqual(whole[-1], Switch())
        for size in (1, 2, 3, 5, 8, 13, 50):
            pieces = [piece for turn in self.sent for piece in cut(turn, size)]
            self.assertEqual(self.fed(pieces), whole, size)

    def test_waits_for_the_last_byte(self) -> None:
        *before, last = self.sent
        for at in range(len(last)):
            commands = self.fed([*before, last[:at]])
            self.assertEqual([each for each in commands if not isinstance(each, Say)], [], at)

    def test_limits_what_arrives_before_tls(self) -> None:
        negotiation = self.negotiation(max_plain=0)
        negotiation.start()
        (refuse,) = negotiation.receive(self.whole)
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.TOO_MUCH_PLAINTEXT)
        self.assertEqual(refuse.data, negotiation.refusal)

    def test_does_the_same_however_its_input_is_cut(self) -> None:
        pieces = st.one_of(
            st.sampled_from((*self.sent, *self.others, HELLO, INJECTED, b" ", b">", b"\0")),
            st.integers(0, len(self.whole)).map(lambda at: self.whole[:at]),
            st.binary(max_size=12),
        )

        @hostile
        @given(st.lists(pieces, min_size=1, max_size=6), st.lists(st.integers(1, 99), max_size=6))
        def holds(pieces: list[bytes], ends: list[int]) -> None:
            text = b"".join(pieces)
            parts = [text[a:b] for a, b in pairwise([0, *sorted(ends), len(text)])]
            self.check_is_the_same(text, self.fed(cut(text, 1)), self.fed(parts))

        holds()

    def check_is_the_same(self, text: bytes, slow: list[Command], fast: list[Command]) -> None:
        last = fast[-1] if fast else None
        if isinstance(last, Refuse) and last.cause is Cause.INJECTED_PLAINTEXT:
            # Bytes are known to have come too early only if they arrive with what came before.
            self.assertTrue(plaintext(slow).startswith(plaintext(fast[:-1])))
        elif isinstance(last, Switch):
            self.assertEqual(plaintext(slow), plaintext(fast))
            self.assertIsInstance(slow[-1], Switch)
            self.assertIn(last.leftover, text)
        else:
            self.assertEqual(fast, slow)

    def test_never_switches_for_garbage(self) -> None:
        @hostile
        @given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
        def holds(pieces: list[bytes]) -> None:
            self.check_switched_only_with_key(pieces)

        holds()

    def test_never_switches_for_input_that_is_only_similar(self) -> None:
        changes = st.tuples(
            st.integers(0, len(self.whole)), st.integers(0, 2), st.binary(max_size=2)
        )

        @hostile
        @given(st.lists(changes, min_size=1, max_size=3), st.integers(1, 100))
        def holds(changes: list[tuple[int, int, bytes]], size: int) -> None:
            text = self.whole
            for at, less, more in changes:
                text = text[:at] + more + text[at + less :]
            self.check_switched_only_with_key(cut(text, size))

        holds()

    def check_switched_only_with_key(self, pieces: list[bytes]) -> None:
        commands = self.fed(pieces)
        if commands and isinstance(commands[-1], Switch):
            self.assertIn(self.key, b"".join(pieces))


class Server(Contract):
    """What a server promises."""

    def test_refuses_injected_bytes_wherever_they_are_cut(self) -> None:
        text = self.whole + INJECTED
        for at in range(len(text) + 1):
            last = self.fed([text[:at], text[at:]])[-1]
            if at == len(self.whole):
                # A separate piece is passed on to TLS, which rejects it.
                self.assertEqual(last, Switch())
            else:
                assert isinstance(last, Refuse)
                self.assertEqual(last.cause, Cause.INJECTED_PLAINTEXT)
                self.assertEqual(last.data, self.negotiation.refusal)

    def test_lets_injected_bytes_pass_without_its_guard(self) -> None:
        expected = self.fed([self.whole])
        commands = self.fed([self.whole + INJECTED], guard=False)
        self.assertEqual(commands, [*expected[:-1], Switch(injected=INJECTED)])

    def test_passes_the_beginning_of_a_client_hello_on_to_tls(self) -> None:
        expected = self.fed([self.whole])
        for guard in (True, False):
            commands = self.fed([self.whole + HELLO], guard)
            self.assertEqual(commands, [*expected[:-1], Switch(leftover=HELLO)])


class Client(Contract):
    """What a client promises."""

    def test_refuses_bytes_injected_after_the_go_ahead(self) -> None:
        for injected in (INJECTED, HELLO, b" "):
            *_, last = self.fed([*self.sent[:-1], self.sent[-1] + injected])
            assert isinstance(last, Refuse)
            self.assertEqual(last.cause, Cause.INJECTED_PLAINTEXT)
            size = f"{len(injected)} bytes arrived after the last message before TLS"
            self.assertEqual(last.detail, size)

    def test_lets_injected_bytes_pass_without_its_guard(self) -> None:
        expected = self.fed(self.sent)
        commands = self.fed([*self.sent[:-1], self.sent[-1] + HELLO], guard=False)
        self.assertEqual(commands, [*expected[:-1], Switch(injected=HELLO)])
