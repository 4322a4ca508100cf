"""What holds for every dialect, whatever its peer sends and however that is cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle, islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.transcripts import cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import (
    CLIENT_HELLO,
    HANDSHAKE,
    Negotiation,
    Refuse,
    Say,
    State,
    Switch,
)
from tlsdemo.starttls.registry import DIALECTS

QUICKLY = settings(derandomize=True, max_examples=75)
MOST_FOR_A_BYTE = 100
"""Bytes that a negotiation may send for each byte that it receives."""

PAIRS = [(each.server, each.client) for each in DIALECTS.values() if each.negotiates]
HANDLERS = [handler for pair in PAIRS for handler in pair]

GARBAGE = [b"\0", b"\xff", b"\r", b"\n", b"\r\n", b".\r\n", b"\x16\x03\x01", b"{5}\r\n", b"x" * 99]


def _messages(handler: type[Negotiation], other: type[Negotiation]) -> list[bytes]:
    """What ``other`` sends to ``handler`` when all goes well, and similar messages."""
    sent = {rule.say.replace(b"{tag}", b"a2") for rule in other.table.values() if rule.say}
    return sorted(sent | {f"{name}\r\n".encode() for _, name in handler.table})


MESSAGES = {
    handler: _messages(handler, other)
    for server, client in PAIRS
    for handler, other in ((server, client), (client, server))
}

REQUESTS = {
    handler: [
        HANDSHAKE if name == CLIENT_HELLO else name.encode()
        for (_, name), rule in handler.table.items()
        if rule.next is State.SWITCHED
    ]
    for handler in HANDLERS
}


@st.composite
def _inputs(draw: st.DrawFn) -> tuple[type[Negotiation], bytes, list[bytes]]:
    """A role, what it is fed, and the same in pieces."""
    handler = draw(st.sampled_from(HANDLERS))
    messages = st.sampled_from(MESSAGES[handler]) | st.sampled_from(GARBAGE) | st.binary(max_size=5)
    data = b"".join(draw(st.lists(messages, max_size=8)))
    ends = draw(st.lists(st.integers(0, len(data)), max_size=5))
    return handler, data, [data[a:b] for a, b in pairwise([0, *sorted(ends), len(data)])]


def rest(switch: Switch) -> bytes:
    """What a switch hands over: the beginning of TLS, or injected bytes."""
    return switch.leftover + switch.injected


@dataclass
class Outcome:
    """Everything that a negotiation sent, how it ended, and after how many bytes."""

    sent: bytes
    end: Switch | Refuse | None
    read: int


def outcome(negotiation: Negotiation, pieces: Iterable[bytes]) -> Outcome:
    """Feed a negotiation, and check that nothing follows its end."""
    commands, read = negotiation.start(), 0
    for piece in pieces:
        if negotiation.state.final:
            break
        commands += negotiation.receive(piece)
        read += len(piece)
    sent = b"".join(each.data for each in commands if isinstance(each, Say))
    ends = [each for each in commands if not isinstance(each, Say)]
    assert ends == ([commands[-1]] if negotiation.state.final else []), commands
    return Outcome(sent, ends[0] if ends else None, read)


class PropertyTests(SynchronousTestCase):
    @QUICKLY
    @given(_inputs(), st.booleans())
    def test_the_outcome_does_not_depend_on_how_the_input_was_cut(
        self, inputs: tuple[type[Negotiation], bytes, list[bytes]], guard: bool
    ) -> None:
        handler, data, pieces = inputs
        # Byte by byte, a negotiation never receives more than it needs.
        expected = outcome(handler(guard), cut(data, 1))
        found = outcome(handler(guard), pieces)
        if isinstance(found.end, Refuse) and found.end.cause is Cause.INJECTED_PLAINTEXT:
            self.assertTrue(guard)
            self.assertTrue(expected.sent.startswith(found.sent))
            return
        self.assertEqual(found.sent, expected.sent)
        if isinstance(found.end, Switch):
            assert isinstance(expected.end, Switch)
            # Nothing after the go-ahead is lost, or taken for plaintext.
            begin = expected.read - len(rest(expected.end))
            self.assertEqual(rest(found.end), data[begin : found.read])
            self.assertFalse(found.end.leftover and found.end.injected)
            self.assertTrue(not guard or not found.end.injected)
        else:
            self.assertEqual(found.end, expected.end)

    @QUICKLY
    @given(st.sampled_from(HANDLERS), st.lists(st.binary(max_size=40), max_size=8))
    def test_garbage_never_starts_tls_without_a_request(
        self, handler: type[Negotiation], pieces: list[bytes]
    ) -> None:
        if isinstance(outcome(handler(), pieces).end, Switch):
            text = b"".join(pieces).upper()
            self.assertTrue([each for each in REQUESTS[handler] if each.upper() in text], text)

    @QUICKLY
    @given(_inputs(), st.sampled_from([1, 10, 100]), st.sampled_from([1, 10, 100]))
    def test_limits_do_not_depend_on_how_the_input_was_cut(
        self, inputs: tuple[type[Negotiation], bytes, list[bytes]], most: int, line: int
    ) -> None:
        handler, data, pieces = inputs
        expected = outcome(handler(True, line, most), cut(data, 1))
        found = outcome(handler(True, line, most), pieces)
        self.assertLessEqual(expected.read, most + 1)
        if isinstance(expected.end, Refuse) and not (
            isinstance(found.end, Refuse) and found.end.cause is Cause.INJECTED_PLAINTEXT
        ):
            self.assertEqual(found.end, expected.end)

    def test_a_mebibyte_is_not_read_to_its_end(self) -> None:
        for handler in HANDLERS:
            for filler in (b"x", b"x\n", b"\0", *MESSAGES[handler]):
                negotiation = handler(max_plain=300)
                negotiation.start()
                sent = 0
                fed = 0
                for byte in islice(cycle(filler), 1 << 20):
                    commands = negotiation.receive(bytes([byte]))
                    sent += sum(len(each.data) for each in commands if isinstance(each, Say))
                    fed += 1
                    if negotiation.state.final:
                        break
                self.assertLessEqual(fed, 301, handler)
                self.assertLessEqual(sent, 300 * MOST_FOR_A_BYTE, handler)
