from __future__ import annotations

import contextlib

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.scan.python_source import NotPython
from tlsdemo.scan.rule_catalogue import RULES
from tlsdemo.scan.scanner import scan_source

BEGIN = "from twisted.internet import ssl\n"
NAME = "unverified-server"


class TheComment(SynchronousTestCase):
    def lines(self, source: str) -> list[int]:
        hits = scan_source("a.py", (BEGIN + source).encode(), RULES.values())
        return [hit.line for hit in hits]

    def test_has_its_line_ignored(self) -> None:
        source = "a = ssl.ClientContextFactory()  # tlsdemo: ignore[{}]\n"
        self.assertEqual(self.lines(source.format(NAME)), [])
        self.assertEqual(self.lines(source.format(f"private-tls-name, {NAME}")), [])
        self.assertEqual(self.lines(source.format(NAME) + "ssl.ClientContextFactory()\n"), [3])

    def test_of_another_rule_changes_nothing(self) -> None:
        source = "a = ssl.ClientContextFactory()  # tlsdemo: ignore[{}]\n"
        self.assertEqual(self.lines(source.format("private-tls-name")), [2])
        self.assertEqual(self.lines(source.format("")), [2])

    def test_may_stand_on_any_line_of_a_call(self) -> None:
        source = f"a = ssl.ClientContextFactory(\n    1,\n)  # tlsdemo: ignore[{NAME}]\n"
        self.assertEqual(self.lines(source), [])

    def test_in_the_body_of_a_class_does_not_concern_the_class(self) -> None:
        source = f"class A(ssl.ClientContextFactory):\n    b = 1  # tlsdemo: ignore[{NAME}]\n"
        self.assertEqual(self.lines(source), [2])

    def test_may_stand_on_any_line_of_the_head_of_a_class(self) -> None:
        ignore = f"# tlsdemo: ignore[{NAME}]"
        source = f"class A(\n    ssl.ClientContextFactory, {ignore}\n):\n    b = 1\n"
        self.assertEqual(self.lines(source), [])
        self.assertEqual(self.lines(f"class A(ssl.ClientContextFactory): pass  {ignore}\n"), [])
        source = f"class A(ssl.ClientContextFactory):\n    @b  {ignore}\n    def f(self): pass\n"
        self.assertEqual(self.lines(source), [2])

    def test_is_found_behind_line_ends_of_all_kinds(self) -> None:
        ignore = f"ssl.ClientContextFactory()  # tlsdemo: ignore[{NAME}]"
        for end, line in (("\r", 3), ("\r\n", 3), ("\n\x0c\n", 4)):
            source = f"{ignore}{end}ssl.ClientContextFactory()"
            self.assertEqual(self.lines(source), [line], repr(end))

    def test_in_a_string_is_none(self) -> None:
        source = f"a = ssl.ClientContextFactory('# tlsdemo: ignore[{NAME}]')\n"
        self.assertEqual(self.lines(source), [2])


class BadInput(SynchronousTestCase):
    def test_is_told_apart(self) -> None:
        for content, problem in (
            (b"print 1\n", "cannot be parsed as Python, line 1"),
            (b"\xff\xfe", "cannot be parsed as Python"),
            (b"# coding: nonsense\n", "cannot be parsed as Python"),
            (b"a = 1\0\n", "null bytes"),
            (b"(" * 100_000, "cannot be parsed as Python|nested too deeply"),
            (b"a = " + b"-" * 100_000 + b"1\n", "nested too deeply"),
            (b"a = " + b"[" * 150 + b"]" * 150 + b"\x0c)", "cannot be parsed as Python"),
        ):
            content += b"# startTLS\n"
            error = self.assertRaises(NotPython, scan_source, "a.py", content, RULES.values())
            self.assertRegex(str(error), problem)

    def test_is_no_problem_where_nothing_can_be_found(self) -> None:
        for content in (b"print 1\n", b"\xff\xfe", b"-" * 100_000 + b"1"):
            self.assertEqual(scan_source("a.py", content, RULES.values()), [])

    def test_what_is_nested_but_can_be_parsed_is_scanned(self) -> None:
        for source in (
            "a" + ".b" * 90 + "()\n",
            "a = " + "+".join("1" * 50) + "\n",
            "".join(" " * depth + "if a:\n" for depth in range(90)) + " " * 90 + "b()\n",
        ):
            source += "# startTLS\n"
            self.assertEqual(scan_source("a.py", source.encode(), RULES.values()), [])
        self.assertEqual(scan_source("a.py", b"", RULES.values()), [])

    def test_the_longest_sum_is_scanned_or_told_apart(self) -> None:
        # Python 3.10 crashes on a usual stack.
        with contextlib.suppress(NotPython):
            scan_source("a.py", b"a = " + b"1+" * 200_000 + b"1# startTLS\n", RULES.values())

    def test_classes_that_derive_from_each_other(self) -> None:
        source = b"class A(B): startTLS\nclass B(A): pass\nclass C(C): handshakeCompleted\n"
        self.assertEqual(scan_source("a.py", source, RULES.values()), [])


class TheColumn(SynchronousTestCase):
    """It counts characters, as editors do; the parser counts bytes of UTF-8."""

    def column(self, source: bytes) -> int:
        (hit,) = scan_source("a.py", source, RULES.values())
        return hit.column

    def test_behind_other_letters(self) -> None:
        source = f'{BEGIN}"ü€𝄞"; ssl.ClientContextFactory()\n'
        self.assertEqual(self.column(source.encode()), 8)
        self.assertEqual(self.column(b"\xef\xbb\xbf" + source.encode()), 8)

    def test_in_another_encoding(self) -> None:
        source = f"# coding: latin-1\n{BEGIN}'ü'; ssl.ClientContextFactory()\n"
        self.assertEqual(self.column(source.encode("latin-1")), 6)

    def test_behind_line_ends_of_all_kinds_and_a_form_feed(self) -> None:
        source = f"{BEGIN}\x0c\r\n'ü'\r'ü'; ssl.ClientContextFactory()\n"
        self.assertEqual(self.column(source.encode()), 6)

    def test_if_a_comment_is_in_no_encoding(self) -> None:
        source = b"# \xe9\n" + BEGIN.encode() + b"ssl.ClientContextFactory()\n"
        self.assertEqual(self.column(source), 1)
