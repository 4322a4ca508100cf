"""``tlsdemo sequence-diagram``: draws a traced connection, as text or as an HTML page."""

from __future__ import annotations

import enum
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.contradictions import Contradiction, check
from tlsdemo.cli.options import Options, check_output_file, choice, fail, named, whole
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text, trace_list
from tlsdemo.reporting.terminal import write_line
from tlsdemo.trace.model import NotATrace, Trace, traces_from


class Format(enum.Enum):
    """The formats of a sequence diagram."""

    TEXT = "text"
    HTML = "html"


_PAGES = (".html", ".htm")
_LISTED = 10


_CONTRADICTIONS = (
    Contradiction(
        "connection beside format",
        lambda options: options["list"],
        "and --list draws nothing; leave one away",
    ),
)


class SequenceDiagramOptions(Options):
    """The options of ``tlsdemo sequence-diagram``, and of its alias ``tlsdemo waterfall``."""

    command = "tlsdemo sequence-diagram"

    synopsis = "Usage: tlsdemo sequence-diagram [options] FILE.jsonl"

    longdesc = (
        "Draws a connection from FILE.jsonl, which twistd tlsdemo --trace writes: client and "
        "server are two lifelines, each event is a mark, and each TLS record is an arrow. If "
        "FILE.jsonl is -, standard input is read."
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["connection", None, None, "Number of the connection. [default: the first one]",
         whole(0)],
        ["beside", None, None, "Another connection to draw next to it: FILE, FILE:NUMBER, or "
         ":NUMBER for one in the same file."],
        ["format", None, None, "Format of the diagram: text or html. [default: html if --output "
         "ends with .html, otherwise text]", choice(Format)],
        ["output", None, None, "File to write to. [default: standard output]"],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[Any]]] = [
        ["list", None, "List the connections in the file instead of drawing one."],
    ]

    def parseArgs(self, *arguments: str) -> None:
        """Keep the name of the file."""
        if len(arguments) != 1:
            raise usage.UsageError(f"{len(arguments)} files are given instead of one")
        (self["file"],) = arguments

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        check_output_file("output", self["output"])
        check(self, _CONTRADICTIONS)

    def run(self) -> int:
        """Draw the diagram, and return the exit status."""
        traces = self._read(self["file"])
        if self["list"]:
            self._write(trace_list(traces))
            return 0
        number = self["connection"]
        if number is None and len(traces) > 1:
            write_line(
                sys.stderr,
                f"{self.command}: drawing the first of {len(traces):,}; --list shows all",
            )
        drawn = [self._choose("connection", self["file"], traces, number)]
        if self["beside"] is not None:
            drawn.append(self._beside(traces))
        self._write(page(drawn) if self._format is Format.HTML else text(drawn, self._width))
        return 0

    @property
    def _format(self) -> Format:
        if self["format"] is None:
            as_page = str(self["output"] or "").lower().endswith(_PAGES)
            return Format.HTML if as_page else Format.TEXT
        chosen: Format = self["format"]
        return chosen

    @property
    def _width(self) -> int:
        return 80 if self["output"] is not None else shutil.get_terminal_size((80, 24)).columns

    def _beside(self, traces: Mapping[int, Trace]) -> Trace:
        where: str = self["beside"]
        name, colon, number = where.rpartition(":")
        if not colon or not number.isdecimal() or Path(where).exists():
            # The name of a file can contain a colon.
            return self._choose("beside", where, self._read(where), None)
        others = self._read(name) if name else traces
        return self._choose("beside", name or self["file"], others, int(number))

    def _choose(
        self, option: str, name: str, traces: Mapping[int, Trace], number: int | None
    ) -> Trace:
        if number is None:
            return next(iter(traces.values()))
        if number not in traces:
            known = ", ".join(map(str, list(traces)[:_LISTED]))
            more = ", ..." if len(traces) > _LISTED else ""
            fail(self.command, f"--{option} is {str(self[option])!r}, and {name} has {known}{more}")
        return traces[number]

    def _read(self, name: str) -> Mapping[int, Trace]:
        try:
            content = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
            traces = traces_from(_whole_lines(content))
        except OSError as problem:
            fail(self.command, f"{name!r} cannot be read: {problem.strerror}", status=1)
        except UnicodeDecodeError:
            fail(self.command, f"{name!r} is not a trace: it is not UTF-8", status=1)
        except NotATrace as problem:
            fail(self.command, f"{name!r} is not a trace: {problem}", status=1)
        if not traces:
            fail(self.command, f"{name!r} contains no connections", status=1)
        return traces

    def _write(self, drawing: str) -> None:
        if self["output"] is not None:
            try:
                Path(self["output"]).write_text(drawing, encoding="utf-8")
            except OSError as problem:
                fail(self.command, f"--output is {self['output']!r}: {problem.strerror}")
            return
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        # Replace characters that the terminal does not have.
        sys.stdout.write(drawing.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()


def _whole_lines(content: str) -> list[str]:
    """Return the lines, without a last one that a server has not written completely."""
    *lines, last = content.split("\n")
    try:
        json.loads(last)
    except ValueError:
        return lines
    except RecursionError:
        pass  # A server does not write such a line, so it has to be reported.
    return [*lines, last]
