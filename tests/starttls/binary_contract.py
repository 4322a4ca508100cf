"""What every dialect promises that is not one of lines, whichever its words are."""

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

hostile = settings(derandomize=True, deadline=None, max_examples=60)


def said(commands: Iterable[Command]) -> bytes:
    """What is said in plain, all together."""
    return b"".join(each.data for each in commands if not isinstance(each, Switch))


class Contract(TranscriptTestCase):
    """``turns`` are what the other side says, from the beginning to the switch.

    ``key`` is in all that may switch, ``also`` is more of what the other side can say.
    """

    negotiation: ClassVar[type[Negotiation]]
    turns: ClassVar[tuple[bytes, ...]]
    key: ClassVar[bytes]
    also: ClassVar[tuple[bytes, ...]] = ()

    @property
    def words(self) -> bytes:
        """All that the other side says."""
        return b"".join(self.turns)

    def told(self, pieces: Iterable[bytes], guard: bool = True) -> list[Command]:
        """All that a dialogue does when it is told ``pieces``, up to its end."""
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

    def test_switches_once_however_the_words_are_cut(self) -> None:
        whole = self.told(self.turns)
        self.assertEqual(whole[-1], Switch())
        for size in (1, 2, 3, 5, 8, 13, 50):
            pieces = [piece for turn in self.turns for piece in cut(turn, size)]
            self.assertEqual(self.told(pieces), whole, size)

    def test_waits_for_the_last_byte_of_the_words(self) -> None:
        *turns, last = self.turns
        for at in range(len(last)):
            commands = self.told([*turns, last[:at]])
            self.assertEqual([each for each in commands if not isinstance(each, Say)], [], at)

    def test_bounds_what_comes_before_tls(self) -> None:
        negotiation = self.negotiation(max_plain=0)
        negotiation.start()
        (refuse,) = negotiation.receive(self.words)
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.TOO_MUCH_PLAINTEXT)
        self.assertEqual(refuse.data, negotiation.refusal)

    def test_does_the_same_however_its_input_is_cut(self) -> None:
        pieces = st.one_of(
            st.sampled_from((*self.turns, *self.also, HELLO, INJECTED, b" ", b">", b"\0")),
            st.integers(0, len(self.words)).map(lambda at: self.words[:at]),
            st.binary(max_size=12),
        )

        @hostile
        @given(st.lists(pieces, min_size=1, max_size=6), st.lists(st.integers(1, 99), max_size=6))
        def holds(pieces: list[bytes], ends: list[int]) -> None:
            text = b"".join(pieces)
            parts = [text[a:b] for a, b in pairwise([0, *sorted(ends), len(text)])]
            self.check_is_the_same(text, self.told(cut(text, 1)), self.told(parts))

        holds()

    def check_is_the_same(self, text: bytes, slow: list[Command], fast: list[Command]) -> None:
        last = fast[-1] if fast else None
        if isinstance(last, Refuse) and last.cause is Cause.INJECTED_PLAINTEXT:
            # Only in one piece with what came before can bytes be seen to come too early.
            self.assertTrue(said(slow).startswith(said(fast[:-1])))
        elif isinstance(last, Switch):
            self.assertEqual(said(slow), said(fast))
            self.assertIsInstance(slow[-1], Switch)
            self.assertIn(last.leftover, text)
        else:
            self.assertEqual(fast, slow)

    def test_takes_no_garbage_for_the_words(self) -> None:
        @hostile
        @given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
        def holds(pieces: list[bytes]) -> None:
            self.check_has_a_key(pieces)

        holds()

    def test_takes_nothing_that_is_only_like_the_words(self) -> None:
        changes = st.tuples(
            st.integers(0, len(self.words)), st.integers(0, 2), st.binary(max_size=2)
        )

        @hostile
        @given(st.lists(changes, min_size=1, max_size=3), st.integers(1, 100))
        def holds(changes: list[tuple[int, int, bytes]], size: int) -> None:
            text = self.words
            for at, less, more in changes:
                text = text[:at] + more + text[at + less :]
            self.check_has_a_key(cut(text, size))

        holds()

    def check_has_a_key(self, pieces: list[bytes]) -> None:
        commands = self.told(pieces)
        if commands and isinstance(commands[-1], Switch):
            self.assertIn(self.key, b"".join(pieces))


class Server(Contract):
    """What a server promises."""

    def test_refuses_what_is_injected_wherever_it_is_cut(self) -> None:
        text = self.words + INJECTED
        for at in range(len(text) + 1):
            last = self.told([text[:at], text[at:]])[-1]
            if at == len(self.words):
                # What comes in a piece of its own goes to TLS, which knows what to do with it.
                self.assertEqual(last, Switch())
            else:
                assert isinstance(last, Refuse)
                self.assertEqual(last.cause, Cause.INJECTED_PLAINTEXT)
                self.assertEqual(last.data, self.negotiation.refusal)

    def test_lets_what_is_injected_pass_without_its_guard(self) -> None:
        agreed = self.told([self.words])
        commands = self.told([self.words + INJECTED], guard=False)
        self.assertEqual(commands, [*agreed[:-1], Switch(injected=INJECTED)])

    def test_takes_the_beginning_of_a_client_hello_for_one(self) -> None:
        agreed = self.told([self.words])
        for guard in (True, False):
            commands = self.told([self.words + HELLO], guard)
            self.assertEqual(commands, [*agreed[:-1], Switch(leftover=HELLO)])


class Client(Contract):
    """What a client promises."""

    def test_refuses_what_is_injected_behind_the_go_ahead(self) -> None:
        for injected in (INJECTED, HELLO, b" "):
            *_, last = self.told([*self.turns[:-1], self.turns[-1] + injected])
            assert isinstance(last, Refuse)
            self.assertEqual(last.cause, Cause.INJECTED_PLAINTEXT)
            size = f"{len(injected)} bytes arrived after the last message before TLS"
            self.assertEqual(last.detail, size)

    def test_lets_what_is_injected_pass_without_its_guard(self) -> None:
        agreed = self.told(self.turns)
        commands = self.told([*self.turns[:-1], self.turns[-1] + HELLO], guard=False)
        self.assertEqual(commands, [*agreed[:-1], Switch(injected=HELLO)])
