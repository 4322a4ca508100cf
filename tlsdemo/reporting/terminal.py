"""The edge to a terminal: lines and cells of printable text, whoever has chosen it.

Rich would execute markup (``[red]``), replace ``:names:`` of emoji, and pass escape sequences on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from tlsdemo.printable import printable

LONGEST = 4000
"""Characters of a line after which it is cut off."""


def cell(text: str, style: str = "") -> Text:
    """Return ``text`` for a cell or the title of a table, or a line, in Rich's ``style``."""
    return Text(printable(text), style)


def print_line(console: Console, line: str) -> None:
    """Print one line, without wrapping."""
    console.print(Text(printable(line, LONGEST)), soft_wrap=True)


def write_lines(stream: TextIO, lines: Iterable[str]) -> None:
    """Write the lines of a result as they are, for a reader who may be a program."""
    for line in lines:
        stream.write(f"{line}\n")
    stream.flush()


def write_line(stream: TextIO, line: str) -> None:
    """Write one line to a stream such as standard error."""
    stream.write(f"{printable(line, LONGEST)}\n")
    stream.flush()
