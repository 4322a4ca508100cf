"""What holds for every dialect, whatever its peer says and however that is cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle, islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.upgrade.transcripts import cut
from tlsdemo.causes import Cause
from tlsdemo.upgrade.dialects import DIALECTS
from tlsdemo.upgrade.dialogue import Dialogue, Refuse, Say, State, Switch
from tlsdemo.upgrade.postgres import PostgresServer

QUICKLY = settings(derandomize=True, deadline=None, max_examples=75)
MOST_FOR_A_BYTE = 100
"""Bytes that are answered to one byte."""

PAIRS = [(each.server, each.client) for each in DIALECTS.values() if each.has_words]
ROLES = [role for pair in PAIRS for role in pair]

GARBAGE = [b"\0", b"\xff", b"\r", b"\n", b"\r\n", b".\r\n", b"\x16\x03\x01", b"{5}\r\n", b"x" * 99]


def _words(role: type[Dialogue], other: type[Dialogue]) -> list[bytes]:
    """What ``other`` says to ``role`` when all goes well, and more of that kind."""
    said = {rule.say.replace(b"{tag}", b"a2") for rule in other.table.values() if rule.say}
    return sorted(said | {f"{name}\r\n".encode() for _, name in role.table})


WORDS = {
    role: _words(role, other)
    for server, client in PAIRS
    for role, other in ((server, client), (client, server))
}

ASKING = {
    role: [name.encode() for (_, name), rule in role.table.items() if rule.next is State.SWITCHED]
    for role in ROLES
}
ASKING[PostgresServer].append(b"\x16")


@st.composite
def _inputs(draw: st.DrawFn) -> tuple[type[Dialogue], bytes, list[bytes]]:
    """A role, what it is fed, and the same in pieces."""
    role = draw(st.sampled_from(ROLES))
    words = st.sampled_from(WORDS[role]) | st.sampled_from(GARBAGE) | st.binary(max_size=5)
    data = b"".join(draw(st.lists(words, max_size=8)))
    ends = draw(st.lists(st.integers(0, len(data)), max_size=5))
    return role, data, [data[a:b] for a, b in pairwise([0, *sorted(ends), len(data)])]


def rest(switch: Switch) -> bytes:
    """What a switch says had come for TLS, or in its place."""
    return switch.leftover + switch.injected


@dataclass
class Outcome:
    """All that a dialogue said, how it ended, and how many bytes it had been fed by then."""

    said: bytes
    end: Switch | Refuse | None
    read: int


def outcome(dialogue: Dialogue, pieces: Iterable[bytes]) -> Outcome:
    """Feed a dialogue, and check that its end is its end."""
    commands, read = dialogue.start(), 0
    for piece in pieces:
        if dialogue.state.final:
            break
        commands += dialogue.receive(piece)
        read += len(piece)
    said = b"".join(each.data for each in commands if isinstance(each, Say))
    ends = [each for each in commands if not isinstance(each, Say)]
    assert ends == ([commands[-1]] if dialogue.state.final else []), commands
    return Outcome(said, ends[0] if ends else None, read)


class Properties(SynchronousTestCase):
    @QUICKLY
    @given(_inputs(), st.booleans())
    def test_what_is_said_does_not_depend_on_how_the_input_was_cut(
        self, inputs: tuple[type[Dialogue], bytes, list[bytes]], guard: bool
    ) -> None:
        role, data, pieces = inputs
        # Byte by byte, a dialogue never has more before it than it must.
        expected = outcome(role(guard), cut(data, 1))
        found = outcome(role(guard), pieces)
        if isinstance(found.end, Refuse) and found.end.cause is Cause.INJECTED_PLAINTEXT:
            self.assertTrue(guard)
            self.assertTrue(expected.said.startswith(found.said))
            return
        self.assertEqual(found.said, expected.said)
        if isinstance(found.end, Switch):
            assert isinstance(expected.end, Switch)
            # Of what came behind the go-ahead, nothing is lost and nothing was taken for words.
            begin = expected.read - len(rest(expected.end))
            self.assertEqual(rest(found.end), data[begin : found.read])
            self.assertFalse(found.end.leftover and found.end.injected)
            self.assertTrue(not guard or not found.end.injected)
        else:
            self.assertEqual(found.end, expected.end)

    @QUICKLY
    @given(st.sampled_from(ROLES), st.lists(st.binary(max_size=40), max_size=8))
    def test_garbage_never_starts_tls_without_the_words_for_it(
        self, role: type[Dialogue], pieces: list[bytes]
    ) -> None:
        if isinstance(outcome(role(), pieces).end, Switch):
            said = b"".join(pieces).upper()
            self.assertTrue([words for words in ASKING[role] if words.upper() in said], said)

    @QUICKLY
    @given(_inputs(), st.sampled_from([1, 10, 100]), st.sampled_from([1, 10, 100]))
    def test_bounds_do_not_depend_on_how_the_input_was_cut(
        self, inputs: tuple[type[Dialogue], bytes, list[bytes]], most: int, line: int
    ) -> None:
        role, data, pieces = inputs
        expected = outcome(role(True, line, most), cut(data, 1))
        found = outcome(role(True, line, most), pieces)
        self.assertLessEqual(expected.read, most + 1)
        if isinstance(expected.end, Refuse) and not (
            isinstance(found.end, Refuse) and found.end.cause is Cause.INJECTED_PLAINTEXT
        ):
            self.assertEqual(found.end, expected.end)

    def test_a_mebibyte_is_not_read_to_its_end(self) -> None:
        for role in ROLES:
            for filler in (b"x", b"x\n", b"\0", *WORDS[role]):
                dialogue = role(max_plain=300)
                dialogue.start()
                said = 0
                fed = 0
                for byte in islice(cycle(filler), 1 << 20):
                    commands = dialogue.receive(bytes([byte]))
                    said += sum(len(each.data) for each in commands if isinstance(each, Say))
                    fed += 1
                    if dialogue.state.final:
                        break
                self.assertLessEqual(fed, 301, role)
                self.assertLessEqual(said, 300 * MOST_FOR_A_BYTE, role)
