from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.line_negotiation import ends_in_literal, reply_code
from tlsdemo.starttls.negotiation import OTHER

QUICKLY = settings(derandomize=True, max_examples=100)


class ReplyTests(SynchronousTestCase):
    def test_has_a_code_and_says_whether_more_lines_follow(self) -> None:
        for line, name in {
            b"220": "220",
            b"220 ": "220",
            b"220 text - more": "220",
            b"220-": "220-",
            b"220-text": "220-",
            b"999 text": "999",
        }.items():
            self.assertEqual(reply_code(line), name)

    def test_is_nothing_else(self) -> None:
        for line in (
            b"",
            b"22",
            b"2200",
            b"220\t",
            b" 220",
            b"-22 ",
            b"2x0 ",
            b"+OK",
            b"\xb2\xb20 ",
        ):
            self.assertEqual(reply_code(line), OTHER, line)

    @QUICKLY
    @given(st.binary(max_size=6))
    def test_is_classified_without_an_exception(self, line: bytes) -> None:
        name = reply_code(line)
        self.assertTrue(name == OTHER or line.startswith(name.encode()))


class LiteralTests(SynchronousTestCase):
    def test_is_announced_at_the_end_of_a_line(self) -> None:
        for line in (b"{5}", b"{5+}", b"x {0}", b"~{123456789012345678901234567890}", b"{{5}"):
            self.assertTrue(ends_in_literal(line), line)

    def test_is_nothing_else(self) -> None:
        for line in (
            b"",
            b"{}",
            b"{+}",
            b"{5",
            b"5}",
            b"{5}x",
            b'"{5}"',
            b"{-5}",
            b"{5++}",
            b"{5 }",
        ):
            self.assertFalse(ends_in_literal(line), line)
