"""The edge to a terminal: lines and cells of printable text, whoever has chosen it.

Rich would execute markup (``[red]``), replace ``:names:`` of emoji, and pass escape sequences on.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from rich.console import Console
from rich.text import Text

from tlsdemo.printable import printable

_NARROWEST = 20
"""Columns that a text has at least: some terminals say that they have none."""

LONGEST = 4000
"""Characters of a line after which it is cut off."""


def cell(text: str, style: str = "") -> Text:
    """Return ``text`` for a cell or the title of a table, or a line, in Rich's ``style``."""
    return Text(printable(text), style)


def print_line(console: Console, line: str) -> None:
    """Print one line, without wrapping."""
    console.print(Text(printable(line, LONGEST)), soft_wrap=True)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Within an ``except``.  Rich would exit, and so would not tell this from other errors.
        raise


def console_of(stream: TextIO | None, width: int | None = None) -> Console:
    """Return a console on a stream of the process; if that is closed, one that shows nothing.

    Printing raises OSError if the stream cannot be written, BrokenPipeError included.
    """
    file = io.StringIO() if stream is None else stream
    return _Console(file=file, width=width, highlight=False)


def width_of(stream: TextIO, otherwise: int) -> int:
    """Return the columns of the terminal that a stream is; ``otherwise``, if it is none."""
    return max(Console(file=stream).width, _NARROWEST) if stream.isatty() else otherwise


def write_line(stream: TextIO | None, line: str) -> None:
    """Write one line to a stream such as standard error, unless it is closed or a disk is full.

    There is nowhere else to say so.
    """
    if stream is None:
        return
    try:
        stream.write(f"{printable(line, LONGEST)}\n")
        stream.flush()
    except OSError:
        drop_output(stream)


def drop_output(stream: TextIO) -> None:
    """Write nothing more to a stream of the process, not even what is flushed at exit."""
    with suppress(OSError), open(os.devnull, "w") as null:
        os.dup2(null.fileno(), stream.fileno())


def write_lines(stream: TextIO, lines: Iterable[str]) -> None:
    """Write the lines of a result as they are, for a reader who may be a program."""
    for line in lines:
        stream.write(f"{line}\n")
    stream.flush()
