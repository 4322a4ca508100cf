"""``tlsdemo compare``: the results of loads, side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options, check_output_file, fail
from tlsdemo.cli.whole_file import write_whole
from tlsdemo.reporting.change_limit import BadLimit, ChangeLimit, change_limit
from tlsdemo.reporting.run_comparison import RunComparison, comparison_lines
from tlsdemo.reporting.run_document import NotADocument, Side, sides
from tlsdemo.reporting.terminal import console_of, print_line

SCHEMA = 1
"""That of the document of ``--json``, which docs/load.md describes."""


class CompareOptions(Options):
    """The options of ``tlsdemo compare``."""

    command = "tlsdemo compare"

    synopsis = "Usage: tlsdemo compare [options] A.json [B.json ...]"

    longdesc = (
        "Compares what twistd tlsclient --json or tlsdemo run --json wrote: each file with the "
        "first one, or the servers of one file. Shows how much each figure changed, with an "
        "interval, and whether that is within the noise, which takes several runs: --repeat, and "
        "--versus for runs that alternate. The exit status is 1 if a --fail-if is met."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["json", None, None, "Also write the comparisons to this file."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["fail-if"] = []

    def opt_fail_if(self, text: str) -> None:
        """Set the exit status to 1 if a figure changed by more than this, beyond the noise.

        Such as 'handshakes/s<-5%' or 'p99(handshake)>+10%'. Can be repeated.
        """
        limits: list[ChangeLimit] = self["fail-if"]
        try:
            limits.append(change_limit(text))
        except BadLimit as problem:
            raise usage.UsageError(f"--fail-if is {text!r}, {problem}") from None

    def parseArgs(self, *arguments: str) -> None:
        """Keep the names of the files."""
        if not arguments:
            raise usage.UsageError("which files? A.json B.json")
        self["files"] = arguments

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        check_output_file("json", self["json"])

    def run(self) -> int:
        """Compare, and return the exit status."""
        baseline, *candidates = [side for name in self["files"] for side in self._read(name)]
        if not candidates:
            fail(self.command, f"{self['files'][0]!r} has only one side; name another file")
        console = console_of(sys.stdout)
        held = True
        compared = []
        for candidate in candidates:
            comparison = RunComparison(baseline, candidate)
            for line in comparison_lines(comparison):
                print_line(console, line)
            figures = comparison.figures() if self["fail-if"] else []
            limits = [
                {"limit": limit.text, "held": holds, "text": verdict}
                for limit in self["fail-if"]
                for holds, verdict in limit.verdicts(figures)
            ]
            for each in limits:
                held = held and each["held"]
                print_line(console, f"fail-if {each['text']}")
            compared.append({**comparison.as_json(), "limits": limits})
        if self["json"] is not None:
            self._write({"schema": SCHEMA, "comparisons": compared})
        return 0 if held else 1

    def _write(self, document: dict[str, Any]) -> None:
        path = self["json"]
        try:
            write_whole(Path(path), json.dumps(document, indent=2) + "\n")
        except OSError as problem:
            fail(self.command, f"--json is {path!r}: {problem.strerror}")

    def _read(self, name: str) -> list[Side]:
        try:
            document: Any = json.loads(Path(name).read_text(encoding="utf-8"))
            return sides(name, document)
        except OSError as problem:
            fail(self.command, f"{name!r} cannot be read: {problem.strerror}")
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            fail(self.command, f"{name!r} is not JSON")
        except NotADocument as problem:
            fail(self.command, f"{name!r} has no results: {problem}")
