"""What every protocol filter for a protocol of lines promises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.transcripts import cut
from tlsdemo.starttls.filters import FilterFailed, LineFilter, ProtocolFilter

QUICKLY = settings(derandomize=True, max_examples=100)
LONG = b"long " * 600
BACKEND, CLIENT = "backend", "client"
Traffic = Sequence[tuple[str, bytes]]


def filtered(
    protocol_filter: ProtocolFilter, traffic: Traffic, size: int = 1 << 20
) -> tuple[bytes, bytes]:
    """What the backend and the client receive of ``traffic``, in pieces of ``size``."""
    to_backend, to_client = b"", b""
    for who, data in traffic:
        for piece in cut(data, size):
            if who is BACKEND:
                to_client += protocol_filter.from_backend(piece)
            else:
                to_backend += protocol_filter.from_client(piece)
    return to_backend, to_client


def outcome(protocol_filter: ProtocolFilter, traffic: Traffic) -> tuple[bytes, bytes] | str:
    """What both receive of ``traffic``, or why the filter failed."""
    try:
        return filtered(protocol_filter, traffic)
    except FilterFailed as problem:
        return str(problem)


def joined(*lines: bytes) -> bytes:
    return b"".join(line + b"\r\n" for line in lines)


class FilterCase(SynchronousTestCase):
    """``greeting`` is the backend's."""

    protocol_filter: ClassVar[type[LineFilter]]
    greeting: ClassVar[bytes]

    def greeted(self) -> ProtocolFilter:
        protocol_filter = self.protocol_filter()
        self.assertEqual(protocol_filter.from_backend(self.greeting), b"")
        self.assertTrue(protocol_filter.ready)
        return protocol_filter

    def check(self, traffic: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Check what becomes of what each side sends, however it is cut."""
        traffic = list(traffic)
        expected = tuple(
            b"".join(after for who, _, after in traffic if who is side)
            for side in (CLIENT, BACKEND)
        )
        sent = [(who, before) for who, before, _ in traffic]
        for size in (1 << 20, 1, 2, 7, 100):
            self.assertEqual(filtered(self.greeted(), sent, size), expected, size)

    def check_untouched(self, traffic: Traffic) -> None:
        self.check([(who, data, data) for who, data in traffic])


class Contract(FilterCase):
    """``rejection`` is a greeting that rejects the client.

    ``passed_greeting`` is what a client that began with TLS receives of ``greeting``, if it
    differs.  ``fragments`` are what random traffic consists of.
    """

    rejection: ClassVar[bytes]
    fragments: ClassVar[tuple[bytes, ...]]
    passed_greeting: ClassVar[bytes] = b""

    @property
    def most(self) -> int:
        """The longest line that the filter receives whole."""
        return self.protocol_filter.max_line

    def test_removes_the_greeting_however_it_is_cut(self) -> None:
        for size in (1, 2, 3, 50):
            protocol_filter = self.protocol_filter()
            self.assertFalse(protocol_filter.ready)
            *pieces, last = cut(self.greeting, size)
            for piece in pieces:
                self.assertEqual(protocol_filter.from_backend(piece), b"")
                self.assertFalse(protocol_filter.ready)
            self.assertEqual(protocol_filter.from_backend(last), b"")
            self.assertTrue(protocol_filter.ready)

    def test_passes_the_greeting_to_a_client_that_began_with_tls_but_offers_no_tls(self) -> None:
        for size in (1, 2, 3, 50):
            protocol_filter = self.protocol_filter(greeted=False)
            *pieces, last = cut(self.greeting, size)
            passed = b"".join(map(protocol_filter.from_backend, pieces))
            self.assertFalse(protocol_filter.ready)
            passed += protocol_filter.from_backend(last)
            self.assertTrue(protocol_filter.ready)
            self.assertEqual(passed, self.passed_greeting or self.greeting)
            self.assertEqual(protocol_filter.from_backend(joined(b"more")), joined(b"more"))

    def test_passes_a_rejection_to_a_client_that_began_with_tls(self) -> None:
        protocol_filter = self.protocol_filter(greeted=False)
        rejection = self.rejection + b"\r\n"
        self.assertEqual(protocol_filter.from_backend(rejection), rejection)
        self.assertTrue(protocol_filter.ready)

    def test_fails_at_what_is_no_greeting_also_if_the_client_began_with_tls(self) -> None:
        for greeting in (b"", b"SSH-2.0-OpenSSH_10.0"):
            protocol_filter = self.protocol_filter(greeted=False)
            self.assertRaises(FilterFailed, protocol_filter.from_backend, greeting + b"\r\n")

    def test_passes_what_arrives_in_one_piece_with_the_greeting(self) -> None:
        more = joined(b"more")
        self.assertEqual(self.protocol_filter().from_backend(self.greeting + more), more)

    def test_fails_if_the_greeting_rejects_the_client(self) -> None:
        for greeting in (self.rejection, b"\xff\xfe \x1b[2J", b"", b"SSH-2.0-OpenSSH_10.0"):
            protocol_filter = self.protocol_filter()
            failed = self.assertRaises(
                FilterFailed, protocol_filter.from_backend, greeting + b"\r\n" + self.greeting
            )
            quoted = ascii(greeting)[1:]
            self.assertEqual(str(failed), f"the backend's greeting is {quoted}")
            self.assertFalse(protocol_filter.ready)

    def test_fails_at_an_endless_greeting_and_quotes_little_of_it(self) -> None:
        for start in (self.greeting.strip(), b""):
            failed = self.assertRaises(
                FilterFailed, self.protocol_filter().from_backend, start + b"x" * 5 * self.most
            )
            self.assertLess(len(str(failed)), 200)

    def test_passes_lines_of_any_length_and_keeps_little_of_them(self) -> None:
        protocol_filter = self.greeted()
        for passing in (protocol_filter.from_backend, protocol_filter.from_client):
            passed = sum(len(passing(b"x" * 100)) for _ in range(1000))
            self.assertGreater(passed, 100_000 - self.most)
            passed += len(passing(b"\r\n"))
            self.assertEqual(passed, 100_002)

    def test_releases_an_unfinished_line_once_when_no_more_comes(self) -> None:
        protocol_filter = self.greeted()
        for passing, rest in (
            (protocol_filter.from_backend, protocol_filter.rest_of_backend),
            (protocol_filter.from_client, protocol_filter.rest_of_client),
        ):
            self.assertEqual(passing(b"unfinished"), b"")
            self.assertEqual(rest(), b"unfinished")
            self.assertEqual(rest(), b"")

    def test_does_the_same_however_its_input_is_cut(self) -> None:
        fragments = st.sampled_from((*self.fragments, b" ", b"\r", b"\n", b"\r\n", LONG))
        data = st.lists(fragments, max_size=12).map(b"".join)
        turns = st.lists(st.tuples(st.sampled_from((BACKEND, CLIENT)), data), max_size=5)

        @QUICKLY
        @given(turns, st.lists(st.integers(0, 200), max_size=8))
        def holds(turns: list[tuple[str, bytes]], ends: list[int]) -> None:
            parts = [
                (who, data[a:b])
                for who, data in turns
                for a, b in pairwise([0, *(e for e in sorted(ends) if e < len(data)), len(data)])
            ]
            self.assertEqual(outcome(self.greeted(), parts), outcome(self.greeted(), turns))

        holds()
