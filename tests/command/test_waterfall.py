"""The command that draws traces."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

from tests.command.refusing import RefusingCase
from tlsdemo.cli import main
from tlsdemo.timeline import Event
from tlsdemo.trace import Arrow, End, Mark, Trace, lines_of
from tlsdemo.wire.record import Kind, Record


def a_trace(title: str) -> Trace:
    hello = Record(Kind.HANDSHAKE, 250, "TLS 1.0", ("client_hello",))
    connected = Mark(End.SERVER, Event("connected", 0.0))
    return Trace(title, {"mode": "pair"}, [connected, Arrow(End.CLIENT, 0.001, hello)])


class WaterfallCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.mktemp())
        lines = [*lines_of(1, a_trace("the first")), *lines_of(7, a_trace("the seventh"))]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def drawn(self, *arguments: str) -> str:
        printed = StringIO()
        self.patch(sys, "stdout", printed)
        self.assertEqual(main(["waterfall", *arguments]), 0)
        return printed.getvalue()


class Drawing(WaterfallCase):
    def test_is_of_the_first_connection_unless_another_is_asked_for(self) -> None:
        self.assertIn("the first", self.drawn(str(self.file)))
        self.assertIn("the seventh", self.drawn("--connection=7", str(self.file)))

    def test_shows_events_and_records(self) -> None:
        drawn = self.drawn(str(self.file))
        self.assertIn("connected", drawn)
        self.assertIn("client_hello", drawn)

    def test_puts_several_beside_each_other(self) -> None:
        drawn = self.drawn("--connection=1", "--connection=7", "--format=html", str(self.file))
        self.assertIn("the first", drawn)
        self.assertIn("the seventh", drawn)
        self.assertTrue(drawn.startswith("<!doctype html>"))

    def test_goes_to_a_file(self) -> None:
        output = Path(self.mktemp())
        self.assertEqual(self.drawn(f"--output={output}", str(self.file)), "")
        self.assertIn("the first", output.read_text(encoding="utf-8"))

    def test_lists_what_there_is(self) -> None:
        listed = self.drawn("--list", str(self.file))
        self.assertEqual(
            listed,
            f"{self.file}: 1: the first, 2 events and records\n"
            f"{self.file}: 7: the seventh, 2 events and records\n",
        )


class Problems(WaterfallCase):
    def told(self, *arguments: str) -> str:
        errors = StringIO()
        self.patch(sys, "stderr", errors)
        self.assertRaises(SystemExit, main, ["waterfall", *arguments])
        return errors.getvalue()

    def test_are_told_in_a_line(self) -> None:
        empty, wrong = Path(self.mktemp()), Path(self.mktemp())
        empty.touch()
        wrong.write_text("no JSON\n", encoding="utf-8")
        for arguments, expected in (
            ([], "which file?"),
            (["--format=pdf", "x"], "--format is 'pdf', none of text, html"),
            (["--connection=x", "x"], "--connection is 'x', not a whole number"),
            (["nowhere"], "'nowhere' cannot be read: No such file or directory"),
            ([str(empty)], "holds no connection"),
            ([str(wrong)], "line 1 is not of a trace"),
            (["--connection=3", str(self.file)], "holds no connection 3, but 1, 7 (see --list)"),
            (["--output=/nowhere/x", str(self.file)], "--output is '/nowhere/x': No such file"),
        ):
            said = self.told(*arguments)
            self.assertIn(expected, said)
            self.assertEqual(said.count("\n"), 1, said)
