from __future__ import annotations

import io
import os
from unittest.mock import patch

from rich.console import Console
from rich.table import Table
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.terminal import (
    LONGEST,
    cell,
    print_line,
    width_of,
    write_line,
)

HOSTILE = "a\r\x1b[2K[red]b[/red] :boom:\nFORGED\u2028\x9b31m"
SHOWN = r"a\r\x1b[2K[red]b[/red] :boom:\nFORGED\u2028\x9b31m"


class TerminalTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.console = Console(file=self.stream, width=20)

    def test_a_line_is_printed_as_one_line(self) -> None:
        print_line(self.console, HOSTILE)
        self.assertEqual(self.stream.getvalue(), f"{SHOWN}\n")

    def test_a_line_is_written_as_one_line(self) -> None:
        write_line(self.stream, HOSTILE)
        self.assertEqual(self.stream.getvalue(), f"{SHOWN}\n")

    def test_a_line_that_is_too_long_is_cut_off(self) -> None:
        for write in (
            lambda line: print_line(self.console, line),
            lambda line: write_line(self.stream, line),
        ):
            self.setUp()
            write("x" * 100_000)
            self.assertLess(len(self.stream.getvalue()), LONGEST + 100)

    def test_a_cell_is_neither_markup_nor_emoji(self) -> None:
        table = Table(title=cell(HOSTILE))
        table.add_column(cell(HOSTILE))
        table.add_row(cell(HOSTILE, "red"))
        Console(file=self.stream, width=200).print(table)
        self.assertEqual(self.stream.getvalue().count(SHOWN), 3)

    def test_the_width_is_that_of_a_terminal_if_it_is_one(self) -> None:
        stream = io.StringIO()
        self.assertEqual(width_of(stream, 88), 88)
        self.patch(stream, "isatty", lambda: True)
        for columns, width in (("40", 40), ("1", 20)):
            with patch.dict(os.environ, {"COLUMNS": columns, "TERM": "xterm"}):
                self.assertEqual(width_of(stream, 88), width)
