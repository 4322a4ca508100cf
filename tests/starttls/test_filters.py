from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.filter_contract import QUICKLY
from tests.starttls.transcripts import cut
from tlsdemo.starttls.filters import Lines, Piece, ProtocolFilter, text


class ProtocolFilterTests(SynchronousTestCase):
    def test_passes_everything_unchanged_and_waits_for_no_greeting(self) -> None:
        protocol_filter = ProtocolFilter()
        self.assertTrue(protocol_filter.ready)
        for data in (b"", b"STARTTLS\r\n", b"\0\xff"):
            self.assertEqual(protocol_filter.from_backend(data), data)
            self.assertEqual(protocol_filter.from_client(data), data)
            self.assertEqual(
                (protocol_filter.rest_of_backend(), protocol_filter.rest_of_client()), (b"", b"")
            )


def taken(lines: Lines) -> list[tuple[bytes, Piece]]:
    pieces = []
    while (piece := lines.take()) is not None:
        pieces.append(piece)
    return pieces


class LinesTests(SynchronousTestCase):
    def test_are_taken_with_their_ends(self) -> None:
        lines = Lines()
        lines.feed(b"one\r\ntwo\n\nthr")
        self.assertEqual(
            taken(lines),
            [(b"one\r\n", Piece.LINE), (b"two\n", Piece.LINE), (b"\n", Piece.LINE)],
        )
        lines.feed(b"ee\n")
        self.assertEqual(taken(lines), [(b"three\n", Piece.LINE)])

    def test_are_returned_whole_up_to_the_given_length(self) -> None:
        for length, piece in ((100, Piece.LINE), (101, Piece.END)):
            lines = Lines(100)
            lines.feed(b"x" * (length - 1) + b"\n")
            self.assertEqual(taken(lines), [(b"x" * (length - 1) + b"\n", piece)])

    def test_that_are_longer_come_in_parts_with_the_end_in_one(self) -> None:
        lines = Lines(100)
        lines.feed(b"x" * 100)
        self.assertEqual(taken(lines), [])
        lines.feed(b"x" * 100)
        self.assertEqual(taken(lines), [(b"x" * 136, Piece.PART)])
        lines.feed(b"{5}\r")
        self.assertEqual(taken(lines), [(b"x" * 4, Piece.PART)])
        lines.feed(b"\nnext\n")
        self.assertEqual(
            taken(lines), [(b"x" * 60 + b"{5}\r\n", Piece.END), (b"next\n", Piece.LINE)]
        )

    def test_are_not_looked_for_in_content_of_a_known_length(self) -> None:
        lines = Lines()
        lines.feed(b"head\na\nb")
        self.assertEqual(lines.take(), (b"head\n", Piece.LINE))
        lines.pass_next(5)
        self.assertEqual(taken(lines), [(b"a\nb", Piece.CONTENT)])
        lines.feed(b"\ncd\n")
        self.assertEqual(taken(lines), [(b"\nc", Piece.CONTENT), (b"d\n", Piece.LINE)])

    def test_know_what_the_next_line_begins_with(self) -> None:
        lines = Lines(100)
        for begins in (False, True):
            self.assertEqual(lines.begin_with(b"\0"), begins)
            lines.feed(b"\0")
        lines.pass_next(1)
        self.assertFalse(lines.begin_with(b"\0"))
        taken(lines)
        self.assertTrue(lines.begin_with(b"\0"))
        lines.feed(b"x" * 200)
        taken(lines)
        self.assertFalse(lines.begin_with(b"x"))

    def test_are_the_same_however_they_arrive(self) -> None:
        word = st.sampled_from((b"x", b"\n", b"\r\n", b"x" * 99, b"x" * 100, b"x" * 101))

        @QUICKLY
        @given(st.lists(word, max_size=9).map(b"".join), st.integers(1, 120))
        def holds(data: bytes, size: int) -> None:
            whole, cut_up = Lines(100), Lines(100)
            whole.feed(data)
            expected = taken(whole)
            actual = []
            for piece in cut(data, size):
                cut_up.feed(piece)
                actual += taken(cut_up)
            self.assertEqual(_whole(actual), _whole(expected))
            self.assertTrue(data.startswith(b"".join(piece for piece, _ in actual)))

        holds()

    def test_are_text_without_their_ends(self) -> None:
        for line in (b"a\r\n", b"a\n", b"a"):
            self.assertEqual(text(line), b"a")
        self.assertEqual(text(b"a\r\r\n"), b"a\r")


def _whole(pieces: list[tuple[bytes, Piece]]) -> list[bytes]:
    return [data for data, piece in pieces if piece is Piece.LINE]
