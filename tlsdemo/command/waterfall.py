"""``tlsdemo waterfall``: draws the connections of a trace, as text or as a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from twisted.python import usage

from tlsdemo.command.options import Options, fail, named, whole
from tlsdemo.report.waterfall_html import page
from tlsdemo.report.waterfall_text import text
from tlsdemo.trace import NotATrace, Trace, traces_from

FORMATS = ("text", "html")

_WIDTH_OF_A_FILE = 100


class WaterfallOptions(Options):
    """The options of ``tlsdemo waterfall``."""

    command = "tlsdemo waterfall"

    synopsis = "Usage: tlsdemo waterfall [options] FILE [FILE...]"

    longdesc = (
        "Draws connections that twistd tlsdemo --trace=FILE has written down: two lifelines, each "
        "record an arrow, each event a mark. Of each FILE one connection, the first unless "
        "--connection says which; several FILEs, or several connections, are drawn side by side."
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "text, or html: a page that needs nothing else."],
        ["output", None, None, "Write to this file instead of standard output."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[Any]]] = [
        ["list", None, "List the connections of the files."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["connections"] = []

    def opt_connection(self, number: str) -> None:
        """Which connection of each file, by the number in the server's log; can be repeated."""
        try:
            self["connections"].append(whole(0)(number))
        except ValueError as problem:
            raise usage.UsageError(f"--connection is {number!r}, {problem}") from None

    def parseArgs(self, *files: str) -> None:
        """Take the names of the files."""
        self["files"] = files

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        if not self["files"]:
            raise usage.UsageError("which file? One that twistd tlsdemo --trace has written")
        if self["format"] not in FORMATS:
            raise usage.UsageError(f"--format is {self['format']!r}, none of {', '.join(FORMATS)}")

    def run(self) -> int:
        """Draw, and return the exit status."""
        files = {name: self._read(name) for name in self["files"]}
        if self["list"]:
            for name, traces in files.items():
                for number, trace in traces.items():
                    print(f"{name}: {number}: {trace.title}, {len(trace.seen)} events and records")
            return 0
        chosen = [trace for name, traces in files.items() for trace in self._chosen(name, traces)]
        drawn = page(chosen) if self["format"] == "html" else text(chosen, self._width())
        if self["output"] is None:
            sys.stdout.write(drawn)
            return 0
        try:
            Path(self["output"]).write_text(drawn, encoding="utf-8")
        except OSError as problem:
            fail(self.command, f"--output is {self['output']!r}: {problem.strerror}", status=1)
        return 0

    def _read(self, name: str) -> dict[int, Trace]:
        try:
            with open(name, encoding="utf-8") as lines:
                traces = traces_from(lines)
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "not text in UTF-8"
            fail(self.command, f"{name!r} cannot be read: {reason}", status=1)
        except NotATrace as problem:
            fail(self.command, f"{name!r}: {problem}", status=1)
        if not traces:
            fail(self.command, f"{name!r} holds no connection", status=1)
        return traces

    def _chosen(self, name: str, traces: dict[int, Trace]) -> list[Trace]:
        numbers = self["connections"] or [next(iter(traces))]
        for number in numbers:
            if number not in traces:
                known = ", ".join(str(each) for each in list(traces)[:20])
                problem = f"{name!r} holds no connection {number}, but {known}"
                fail(self.command, f"{problem} (see --list)", status=1)
        return [traces[number] for number in numbers]

    def _width(self) -> int:
        on_terminal = self["output"] is None and sys.stdout.isatty()
        return Console().width if on_terminal else _WIDTH_OF_A_FILE
