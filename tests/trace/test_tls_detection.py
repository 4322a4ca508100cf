from __future__ import annotations

from hypothesis import given
from hypothesis.strategies import binary
from twisted.trial.unittest import SynchronousTestCase

from tests.trace.wire_bytes import CLIENT_HELLO, SERVER_HELLO, handshake, message, record
from tlsdemo.trace.tls_detection import MAX_EXCERPT, excerpt, find_tls, join_excerpts


class TheBeginningOfTLS(SynchronousTestCase):
    def test_is_a_hello_or_an_alert(self) -> None:
        for first in (CLIENT_HELLO, handshake(SERVER_HELLO), record(21, b"\2\x28")):
            self.assertEqual(find_tls(first), (0, True))
            self.assertEqual(find_tls(b"220 hello\r\n" + first), (11, True))

    def test_is_not_another_record(self) -> None:
        for other in (
            handshake(message(11, b"x")), record(21, b"\3\x28"), record(21, b"\2\x28\0"),
            record(23, b"\1"), record(22, b"") + b"\1", record(22, b"\1" * 5, 0x0305),
            record(22, b"\1" * 5, 0x0203), b"\x16\3\3\x40\1\1",
        ):  # fmt: skip
            self.assertEqual(find_tls(other + bytes(9)), (len(other) + 9, False), other)

    def test_is_found_directly_after_bytes_that_look_like_it(self) -> None:
        for before in (b"\x16", b"\x16\3", b"\x16\3\1\0\0\1"):
            self.assertEqual(find_tls(before + CLIENT_HELLO), (len(before), True))

    def test_may_be_in_the_last_bytes(self) -> None:
        for size in range(1, 6):
            self.assertEqual(find_tls(b"ab" + CLIENT_HELLO[:size]), (2, False))

    def test_is_at_the_end_if_it_is_not_found(self) -> None:
        self.assertEqual(find_tls(b""), (0, False))
        self.assertEqual(find_tls(b"EHLO \x16 \x15\r\n"), (10, False))


class AnExcerpt(SynchronousTestCase):
    def test_has_printable_characters_unchanged(self) -> None:
        self.assertEqual(excerpt(b"250-STARTTLS"), "250-STARTTLS")

    def test_has_other_bytes_escaped(self) -> None:
        self.assertEqual(excerpt(b"a\r\n\t\\\0\x7f\xff"), "a\\r\\n\\t\\\\\\x00\\x7f\\xff")

    def test_is_not_cut_within_an_escaped_byte(self) -> None:
        self.assertEqual(excerpt(b"a" * 40), "a" * MAX_EXCERPT)
        self.assertEqual(excerpt(b"a" * 41), "a" * MAX_EXCERPT + "…")
        self.assertEqual(excerpt(b"a" * 38 + b"\0"), "a" * 38 + "…")


class JoinedExcerpts(SynchronousTestCase):
    @given(binary(max_size=50), binary(max_size=50))
    def test_are_the_excerpt_of_the_whole(self, first: bytes, second: bytes) -> None:
        self.assertEqual(join_excerpts(excerpt(first), excerpt(second)), excerpt(first + second))
