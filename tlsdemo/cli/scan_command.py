"""``tlsdemo scan``: what is known to go wrong with TLS in Twisted, found in source code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options, named, whole
from tlsdemo.cli.suggestions import one_of
from tlsdemo.printable import printable
from tlsdemo.reporting.progress import Progress, standard_error
from tlsdemo.reporting.terminal import write_line, write_lines
from tlsdemo.scan.python_source import NotPython
from tlsdemo.scan.rule_catalogue import RULES
from tlsdemo.scan.sarif import sarif
from tlsdemo.scan.scanner import Hit, scan_source
from tlsdemo.scan.source_files import LARGEST, Unreadable, content_of, python_files

FORMATS = ("text", "json", "sarif")

_QUIET = 2.0
"""Seconds before the progress of a scan is shown."""

NOT_READ_STATUS = 2
"""The exit status if nothing was found, but something could not be read."""


class ScanOptions(Options):
    """The options of ``tlsdemo scan``."""

    command = "tlsdemo scan"

    synopsis = "Usage: tlsdemo scan [options] PATH..."

    longdesc = (
        "Reads Python files, and those in folders (*.py, *.pyw, *.tac, *.rpy), and reports what is "
        "known to go wrong with TLS in Twisted: the line, why, the finding that shows it, and the "
        "cure. Nothing is imported or executed. The exit status is 1 if something is found; 2 if "
        "nothing is found, but something could not be read. A comment '# tlsdemo: ignore[RULE]' on "
        "the line is obeyed. The rules are in docs/scan.md."
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "Format of the results: text, json or sarif (for GitHub and "
         "editors).", one_of(FORMATS)],
        ["largest", None, LARGEST, "Bytes of the largest file that is read.",
         whole(1, 1 << 30)],
    ])  # fmt: skip

    known_values: ClassVar[Mapping[str, tuple[str, ...]]] = {"rule": tuple(RULES)}

    def __init__(self) -> None:
        super().__init__()
        self["rules"] = []

    def opt_rule(self, name: str) -> None:
        """Apply only this rule. Can be repeated.

        [default: all]
        """
        try:
            self["rules"].append(one_of(tuple(RULES))(name))
        except ValueError as problem:
            raise usage.UsageError(f"--rule is {name!r}, {problem}") from None

    def parseArgs(self, *paths: str) -> None:
        """Take the files and folders."""
        if not paths:
            raise usage.UsageError("scan what? name files or folders, such as: tlsdemo scan .")
        if "" in paths:
            raise usage.UsageError("a PATH is empty; name a file or a folder")
        self["paths"] = list(paths)

    def run(self) -> int:
        """Scan, write the results, and return the exit status."""
        self._problems: list[str] = []
        self._progress = Progress(standard_error(), self.command)
        self._progress.begin("reading", quiet_for=_QUIET)
        try:
            hits = sorted(set(self._hits()))
        finally:
            self._progress.clear()
        if self["format"] == "sarif":
            write_lines(sys.stdout, [json.dumps(sarif(hits, RULES, self._problems), indent=1)])
        elif self["format"] == "json":
            write_lines(sys.stdout, [json.dumps(self._document(hits), indent=1)])
        else:
            write_lines(sys.stdout, _text(hits))
        if hits:
            return 1
        return NOT_READ_STATUS if self._problems else 0

    def _hits(self) -> Iterator[Hit]:
        rules = [RULES[name] for name in RULES if name in self["rules"] or not self["rules"]]
        number = 0
        for name in self["paths"]:
            try:
                for path in python_files(Path(name), self._tell):
                    number += 1
                    self._progress.update(number, f"{number:,} files", now_at=str(path))
                    try:
                        yield from scan_source(str(path), content_of(path, self["largest"]), rules)
                    except NotPython as problem:
                        self._tell(f"{str(path)!r}: {problem}")
                    except Unreadable as problem:
                        self._tell(str(problem))
            except Unreadable as problem:
                self._tell(str(problem))

    def _tell(self, problem: str) -> None:
        self._problems.append(problem)
        self._progress.clear()
        write_line(sys.stderr, f"{self.command}: {problem}")

    def _document(self, hits: list[Hit]) -> Any:
        found = [
            {
                **vars(hit),
                "why": RULES[hit.rule].why,
                "cure": RULES[hit.rule].cure,
                "finding": RULES[hit.rule].finding or None,
            }
            for hit in hits
        ]
        return {"hits": found, "not_read": self._problems}


def _text(hits: list[Hit]) -> Iterator[str]:
    for hit in hits:
        rule = RULES[hit.rule]
        yield f"{printable(hit.path)}:{hit.line}:{hit.column}: {hit.rule}: {printable(hit.what)}"
        yield f"    why:   {rule.why}"
        if rule.finding:
            yield f"    shown: tlsdemo findings {rule.finding}"
        yield f"    cure:  {rule.cure}"
