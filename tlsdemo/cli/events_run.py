"""What ``tlsdemo events`` does: makes the connections, and shows what was seen of them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TextIO

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.laboratory import Cell, GivenUp, Laboratory
from tlsdemo.lab.scenario_certificates import make_certificates
from tlsdemo.lab.scenario_matrix import observe
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.reporting.event_matrix import markdown, orders, outcomes
from tlsdemo.reporting.event_matrix_html import matrix_page
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text
from tlsdemo.tls import KeyLog, versions
from tlsdemo.trace.model import Trace, seen_from
from tlsdemo.trace.observation import Observation

FEW = 12
"""Cells of which the orders are shown as well, without being asked for, or that can be drawn."""

_QUIET = 2.0
"""Seconds between two lines of progress."""

_TRUE_IN = ("ok with client certificate", "starttls", "tlsdemo")

_COLUMNS = 160

_INTERRUPTED = "interrupted"


class EventsRun:
    """The connections of one command, and how they are shown."""

    def __init__(self, reactor: Any, options: Options, cells: Sequence[Cell]) -> None:
        self._reactor = reactor
        self._options = options
        self._cells = cells
        self._keylog = _open_keylog(options)
        self._directory = Path(mkdtemp(prefix="tlsdemo-events-"))
        self.seen: list[Observation] = []
        self._problem = ""
        self._done = 0
        self._told = time.monotonic()
        self._work: Deferred[Any] = Deferred()

    def start(self) -> None:
        """Begin; the reactor is stopped when all is done."""
        certificates = make_certificates(self._directory, datetime.now(timezone.utc))
        preparations = [] if self._keylog is None else [KeyLog(self._append)]
        lab = Laboratory(self._reactor, certificates, preparations)
        all_of_it = observe(lab, self._cells, self._options["times"], self._progress)
        self._work = Deferred.fromCoroutine(all_of_it)
        self._work.addCallbacks(self.seen.extend, self._failed)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._work.addBoth(self._over)

    def _over(self, _: object) -> None:
        if self._problem != _INTERRUPTED:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[Any]:
        """Leave nothing behind: connections, programs, files."""
        if not self._work.called:
            self._problem = _INTERRUPTED
            self._work.cancel()
        return self._work

    def _append(self, line: bytes) -> None:
        assert self._keylog is not None
        self._keylog.write(line.decode("ascii"))

    def _failed(self, failure: Failure) -> None:
        if self._problem == _INTERRUPTED:
            return
        if failure.check(GivenUp) is None:
            failure.printTraceback(sys.stderr)
        self._problem = failure.getErrorMessage()

    def _progress(self, cell: Cell) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _QUIET:
            self._told = now
            sys.stderr.write(f"{self._done} of {len(self._cells)}: {cell}\n")

    def finish(self) -> None:
        """Put everything away; ends the process with a line if not all was seen."""
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._keylog is not None:
            self._keylog.close()
        if self._problem:
            fail(self._options.command, self._problem, status=1)

    def show(self, beside: Sequence[Trace] = ()) -> None:
        """Show what was seen; ``beside`` are traces to be drawn as well, if any are."""
        output = self._options["output"]
        if output is None:
            self._show(sys.stdout, beside)
        else:
            try:
                with open(output, "w", encoding="utf-8") as stream:
                    self._show(stream, beside)
            except OSError as problem:
                where = f"--output is {output!r}"
                fail(self._options.command, f"{where}: {problem.strerror}", status=1)

    def _show(self, stream: TextIO, beside: Sequence[Trace]) -> None:
        seen, versions_seen = self.seen, versions_of(self.seen)
        form, sentences = (
            self._options["format"],
            {scenario.name: scenario.description for scenario in SCENARIOS.values()},
        )
        if self._options["waterfall"]:
            stream.write(self._drawn(form, stream, beside))
        elif form == "json":
            json.dump(
                {"versions": versions_seen, "cells": [each.as_json() for each in seen]}, stream
            )
            stream.write("\n")
        elif form == "html":
            stream.write(matrix_page(seen, sentences, versions_seen))
        elif form == "markdown":
            true_in = [cell for cell in seen if (cell.scenario, cell.mode, cell.peer) == _TRUE_IN]
            stream.write(markdown(seen, sentences, true_in, versions_seen))
        else:
            console = Console(file=stream, width=_width(stream), highlight=False)
            console.print(outcomes(seen))
            if self._options["orders"] or len(seen) <= FEW:
                console.print(orders(seen, sentences))

    def _drawn(self, form: str, stream: TextIO, beside: Sequence[Trace]) -> str:
        traces = [cell.traces[0] for cell in self.seen if cell.traces]
        for trace in traces:
            trace.facts.update(versions_of(self.seen))
        drawn = [*traces, *beside]
        return page(drawn) if form == "html" else text(drawn, _width(stream))


def traces_of(matrix: Mapping[str, Any]) -> list[Trace]:
    """Return the traces of a matrix as :func:`as_json` gives it."""
    return [
        Trace(
            f"{cell['mode']}, TLS {cell['tls']}, {cell['way']}",
            {**{name: cell[name] for name in ("mode", "tls", "way")}, **matrix["versions"]},
            [seen_from(fields) for fields in cell["trace"]],
        )
        for cell in matrix["cells"]
        if "trace" in cell
    ]


def _width(stream: TextIO) -> int:
    """Return the columns of a terminal, and those of a file."""
    return Console(file=stream).width if stream.isatty() else _COLUMNS


def versions_of(seen: Sequence[Observation]) -> dict[str, str]:
    """Return the versions of all that took part."""
    here: dict[str, str] = dict(versions())
    took_part = dict.fromkeys(cell.peer for cell in seen if cell.traces)
    for name in (name for name in took_part if name in STACKS):
        ecosystem, _, version = STACKS[name].availability().version.partition(" ")
        here.setdefault(ecosystem, version)
    if s_client.NAME in took_part:
        here["s_client"] = s_client.availability().version
    return here


def as_json(seen: Sequence[Observation]) -> dict[str, Any]:
    """Return what was seen as JSON has it, with the versions that it was seen with."""
    return {"versions": versions_of(seen), "cells": [each.as_json() for each in seen]}


def _open_keylog(options: Options) -> TextIO | None:
    if options["keylog"] is None:
        return None
    sys.stderr.write(
        f"{options.command}: the secrets of all connections are written to {options['keylog']}\n"
    )
    try:
        descriptor = os.open(options["keylog"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as problem:
        fail(options.command, f"--keylog is {options['keylog']!r}: {problem.strerror}", status=1)
    return os.fdopen(descriptor, "a", encoding="ascii")
