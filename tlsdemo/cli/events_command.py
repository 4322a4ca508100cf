"""``tlsdemo events``: what fires when on both ends, in every scenario."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, TextIO

from twisted.logger import globalLogBeginner
from twisted.python import usage

from tlsdemo.cli.comparison_options import BOUNDS, EXIT_CODE, ComparisonOptions
from tlsdemo.cli.contradictions import Contradiction, check
from tlsdemo.cli.events_run import EventsRun
from tlsdemo.cli.options import check_output_file, fail, named, whole
from tlsdemo.cli.suggestions import one_of
from tlsdemo.lab.foreign_run import WITH_OTHER_STACKS
from tlsdemo.lab.laboratory import RUN_TIMEOUT, Cell
from tlsdemo.lab.scenario_matrix import MODES, TLS, Selection
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.reporting.event_comparison import EventComparison
from tlsdemo.reporting.event_differences import names
from tlsdemo.reporting.event_matrix import EventMatrix, traces_of
from tlsdemo.reporting.event_report import (
    DIAGRAM_FORMATS,
    FEW,
    FORMATS,
    write_comparisons,
    write_diagrams,
    write_matrix,
)
from tlsdemo.reporting.scenario_list import scenario_list
from tlsdemo.trace.model import Trace
from tlsdemo.trace.observation import LIFELINES

DEFAULT_STACKS = tuple(name for name in STACKS if name not in ("twisted-wrapped", "twisted-pair"))
"""The servers of other stacks in the default selection, with only one of stock Twisted."""

_BASELINE_ONLY = (
    "format",
    "expect",
    "output",
    "keylog",
    "full",
    "sequences",
    "sequence-diagram",
    "details",
    "exit-code",
)
"""The options that candidates do not have: they concern the report."""


_CONTRADICTIONS = (
    Contradiction(
        "expect output keylog against python format details full sequences sequence-diagram",
        lambda options: options["list"],
        "and --list makes no connections; leave one away",
    ),
    Contradiction(
        "stack",
        lambda options: "none" in options["stacks"] and set(options["stacks"]) != {"none"},
        "and other stacks are named as well; leave none away",
    ),
)


class EventsOptions(ComparisonOptions):
    """The options of ``tlsdemo events``."""

    command = "tlsdemo events"

    synopsis = "Usage: tlsdemo events [options]"

    longdesc = (
        "Makes real connections over loopback, one for each mode, TLS version and scenario, and "
        "shows the events on both ends in order: first the differences that matter most; --full "
        "shows everything. Servers of other stacks (asyncio, Node, stock "
        "Twisted) are shown for comparison. The default is all of them; --mode, --tls, --scenario "
        "and --stack select some, and can be repeated. With --against or --python, the same "
        "connections are made with other versions, and the differences are shown. A connection "
        f"that is not over after {RUN_TIMEOUT:g} seconds ends the command. {BOUNDS}"
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "Format of the report: text, json, markdown or html.",
         one_of(FORMATS)],
        ["times", None, 2, "Number of times that each connection is made. If the order of events "
         "changes, it is called a race.", whole(1, 1000)],
        ["output", None, None, "File to write to. [default: standard output]"],
        ["expect", None, None, "File from an earlier --format=json to compare with. If there are "
         "differences, they are shown and the exit status is 1."],
        ["keylog", None, None, "Append the TLS secrets of all connections to this file "
         "(SSLKEYLOGFILE format), for Wireshark. Anyone who has the file can decrypt the "
         "connections."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[Any]]] = [
        ["full", None, "Show the outcomes of all connections, and not only the differences that "
         "matter most. A selection is always shown as a whole."],
        ["sequences", None, f"Show the event sequences of more than {FEW} connections, too."],
        ["sequence-diagram", None, f"Draw a sequence diagram of each connection, as text or HTML; "
         f"for at most {FEW}."],
        ["details", None, "With --against, --python or --expect: show the outcomes of all "
         "connections as well, and whole event sequences of those that differ."],
        EXIT_CODE,
        ["list", None, "List the scenarios and the servers of other stacks."],
    ]  # fmt: skip

    aliases: ClassVar[Mapping[str, str]] = {
        "way": "scenario",
        "peer": "stack",
        "orders": "sequences",
        "waterfall": "sequence-diagram",
    }

    known_values: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "mode": tuple(MODES),
        "tls": tuple(TLS),
        "scenario": tuple(SCENARIOS),
        "stack": (*STACKS, "none"),
    }

    def __init__(self) -> None:
        super().__init__()
        for name in ("modes", "versions", "scenarios", "stacks"):
            self[name] = []

    def opt_mode(self, name: str) -> None:
        """How our connections are secured: starttls, pair or wrapped. Can be repeated."""
        self["modes"].append(_one_of("mode", name, MODES))

    def opt_tls(self, name: str) -> None:
        """TLS version: 1.2 or 1.3. Can be repeated."""
        self["versions"].append(_one_of("tls", name, TLS))

    def opt_scenario(self, name: str) -> None:
        """Name of a scenario, or its beginning; see --list. Can be repeated."""
        found = [scenario for scenario in SCENARIOS if scenario == name] or [
            scenario for scenario in SCENARIOS if name and scenario.lower().startswith(name.lower())
        ]
        if not found:
            found = [_one_of("scenario", name, tuple(SCENARIOS))]
        self["scenarios"] += found

    def opt_stack(self, name: str) -> None:
        """Server of another stack, or none; see --list. Can be repeated.

        [default: those of asyncio and Node and one of stock Twisted, or none with --mode]
        """
        self["stacks"].append(_one_of("stack", name, (*STACKS, "none")))

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        if self["sequence-diagram"] and self["format"] not in DIAGRAM_FORMATS:
            formats = " or ".join(DIAGRAM_FORMATS)
            raise usage.UsageError(f"--sequence-diagram needs --format={formats}")
        count = len(self._cells)
        if not count:
            scenarios = ", ".join(self["scenarios"])
            raise usage.UsageError(
                f"--stack={','.join(self['stacks'])} is not tried with {scenarios}; other stacks "
                f"are tried with {', '.join(WITH_OTHER_STACKS)}"
            )
        if self["sequence-diagram"] and count > FEW:
            raise usage.UsageError(
                f"--sequence-diagram draws at most {FEW} connections, and {count} are selected; "
                "select with --mode, --tls and --scenario"
            )
        for name in ("output", "keylog"):
            check_output_file(name, self[name])
        check(self, _CONTRADICTIONS)
        # Before the connections are made, which takes minutes.
        self._expected: Any = None if self["expect"] is None else self._read_expected()

    def selection(self) -> Selection:
        """Return the selected cells.

        Other stacks are left out if modes are selected, and our modes if stacks are selected.
        """
        only_stacks = self["stacks"] and not self["modes"] and self["stacks"] != ["none"]
        stacks = tuple(self["stacks"]) or (() if self["modes"] else DEFAULT_STACKS)
        return Selection(
            modes=() if only_stacks else tuple(dict.fromkeys(self["modes"])) or MODES,
            tls=tuple(dict.fromkeys(self["versions"])) or TLS,
            scenarios=tuple(dict.fromkeys(self["scenarios"])) or tuple(SCENARIOS),
            peers=tuple(name for name in dict.fromkeys(stacks) if name != "none"),
        )

    def run(self) -> int:
        """Make the connections, write the report, and return the exit status."""
        if self["list"]:
            scenarios = {scenario.name: scenario.description for scenario in SCENARIOS.values()}
            print("\n".join(scenario_list(scenarios, _stacks())))
            return 0
        from twisted.internet import reactor

        # Twisted logs failed connections; their events are in the report.
        globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
        run = EventsRun(reactor, self, self._cells)
        reactor.callWhenRunning(run.start)
        reactor.run()
        matrix = run.finish()
        baseline, traces = matrix.as_json(), matrix.traces()
        comparisons = []
        for candidate in self.candidates("--format=json", without=_BASELINE_ONLY):
            comparisons.append(EventComparison(candidate.name, baseline, candidate.result))
            traces += traces_of(candidate.result)
        if self["expect"] is not None:
            sides = "expected", "here"
            comparisons.append(EventComparison(self["expect"], self._expected, baseline, sides))
        self._report(matrix, traces, comparisons)
        statuses = [bool(each.differences) for each in comparisons]
        if self["expect"] is not None and statuses[-1]:
            return 1
        return 1 if self["exit-code"] and any(statuses) else 0

    def _report(
        self, matrix: EventMatrix, traces: list[Trace], comparisons: list[EventComparison]
    ) -> None:
        """Write the answer, if there is a question, and what was seen."""
        as_text, details = self["format"] == "text", self["details"]
        if as_text or self["output"] is not None:
            write_comparisons(comparisons, sys.stdout, details)
            sys.stdout.flush()
        if self["sequence-diagram"]:
            with self._output() as stream:
                write_diagrams(traces, self["format"], stream)
        elif details or self["sequences"] or not comparisons or not as_text or self["output"]:
            with self._output() as stream:
                write_matrix(
                    matrix,
                    self["format"],
                    stream,
                    self["sequences"],
                    comparisons,
                    only_surprises=self.only_surprises,
                )
        elif as_text:
            print("--details shows all that was seen.")

    @property
    def only_surprises(self) -> bool:
        """Whether a text has only the differences that matter most: if nothing is selected."""
        named = any(self[name] for name in ("modes", "versions", "scenarios", "stacks"))
        return not (named or self["full"] or self["sequences"] or self["details"])

    @contextmanager
    def _output(self) -> Iterator[TextIO]:
        if self["output"] is None:
            yield sys.stdout
            return
        try:
            with open(self["output"], "w", encoding="utf-8") as stream:
                yield stream
        except OSError as problem:
            fail(self.command, f"--output is {self['output']!r}: {problem.strerror}")

    def _read_expected(self) -> Any:
        """Return the selected cells of --expect's file."""
        selected = {(each.mode, each.tls, each.scenario.name, each.peer) for each in self._cells}
        try:
            found = json.loads(Path(self["expect"]).read_text(encoding="utf-8"))
            cells = [
                cell
                for cell in found["cells"]
                if (cell["mode"], cell["tls"], cell["way"], cell["peer"]) in selected
            ]
            for cell, lifeline in product(cells, LIFELINES):
                names(cell.get(lifeline))
        except OSError as problem:
            raise usage.UsageError(f"--expect is {self['expect']!r}: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise usage.UsageError(
                f"--expect is {self['expect']!r}, not a file from --format=json"
            ) from None
        said = found.get("versions")
        versions = said if isinstance(said, dict) else {}
        return {"versions": {name: str(text) for name, text in versions.items()}, "cells": cells}

    @property
    def _cells(self) -> list[Cell]:
        return self.selection().cells()


def _one_of(option: str, name: str, known: Sequence[str]) -> str:
    try:
        return one_of(known)(name)
    except ValueError as problem:
        raise usage.UsageError(f"--{option} is {name!r}, {problem}") from None


def _stacks() -> dict[str, str]:
    """Return the title of each other stack, with its version or why it is not available."""
    stacks = {}
    for name, stack in STACKS.items():
        found = stack.availability()
        status = found.version if found.reason is None else f"not available: {found.reason}"
        stacks[name] = f"{stack.title} ({status})"
    return stacks
