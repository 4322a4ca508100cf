"""The connections of one ``tlsdemo events`` command."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.comparison_options import ComparisonOptions
from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.laboratory import Cell, GivenUp, Laboratory
from tlsdemo.lab.scenario_certificates import make_certificates
from tlsdemo.lab.scenario_matrix import observe
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.net.append_only_file import AppendOnlyFile
from tlsdemo.net.private_file import CannotOpen
from tlsdemo.reporting.event_matrix import EventMatrix
from tlsdemo.reporting.progress import Progress, standard_error
from tlsdemo.reporting.terminal import write_line
from tlsdemo.tls import KeyLog, versions
from tlsdemo.trace.observation import Observation

_INTERRUPTED = "interrupted"


class EventsRun:
    """Makes the connections of ``cells``, and collects what is observed."""

    def __init__(self, reactor: Any, options: ComparisonOptions, cells: Sequence[Cell]) -> None:
        self._reactor = reactor
        self._options = options
        self._cells = cells
        self._keylog = _open_keylog(options, reactor)
        self._directory = _new_directory(options)
        self._observations: list[Observation] = []
        self._problem = ""
        self._started = 0
        self._shown = Progress(standard_error(), options.command)
        self._work: Deferred[Any] = Deferred()

    def start(self) -> None:
        """Start; the reactor is stopped at the end."""
        # What the reactor calls may not raise: nobody would stop the reactor.
        self._work = Deferred.fromCoroutine(self._observe())
        self._work.addCallbacks(self._observations.extend, self._failed)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._work.addBoth(self._stop)

    async def _observe(self) -> list[Observation]:
        try:
            certificates = make_certificates(self._directory, datetime.now(timezone.utc))
        except (BadCredentials, OSError) as problem:
            raise GivenUp(
                f"the certificates cannot be written to {str(self._directory)!r}: "
                f"{_reason(problem)}; set TMPDIR to another folder"
            ) from None
        preparations = [] if self._keylog is None else [KeyLog(self._keylog.append)]
        lab = Laboratory(self._reactor, certificates, preparations)
        return await observe(lab, self._cells, self._options["times"], self._progress)

    def _stop(self, _: object) -> None:
        if self._problem != _INTERRUPTED:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[Any]:
        """Cancel the work, so that no connections, programs or files are left."""
        if not self._work.called:
            self._problem = _INTERRUPTED
            self._work.cancel()
        return self._work

    def _failed(self, failure: Failure) -> None:
        if self._problem == _INTERRUPTED:
            return
        # An OSError is that of a machine without descriptors or processes left.
        if failure.check(GivenUp, OSError) is None:
            failure.printTraceback(sys.stderr)
        self._problem = failure.getErrorMessage()

    def _progress(self, cell: Cell) -> None:
        if len(self._cells) > 1:
            if not self._started:
                self._shown.begin("making", len(self._cells), "connections")
            self._shown.update(self._started, now_at=str(cell))
        self._started += 1

    def finish(self) -> EventMatrix:
        """Clean up and return the matrix; ends the process with one line after a failure."""
        self._shown.clear()
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._keylog is not None:
            self._keylog.close()
            if self._keylog.problem and not self._problem:
                fail(self._options.command, self._keylog.problem)
        if self._problem:
            self._options.give_up(self._problem)
        descriptions = {scenario.name: scenario.description for scenario in SCENARIOS.values()}
        return EventMatrix(self._observations, descriptions, versions_of(self._observations))


def versions_of(observations: Sequence[Observation]) -> dict[str, str]:
    """Return the versions of all libraries and programs that took part."""
    found: dict[str, str] = dict(versions())
    stacks = dict.fromkeys(cell.stack for cell in observations if cell.traces)
    for name in (name for name in stacks if name in STACKS):
        ecosystem, _, version = STACKS[name].availability().version.partition(" ")
        found.setdefault(ecosystem, version)
    if s_client.NAME in stacks:
        found["s_client"] = s_client.availability().version
    return found


def _new_directory(options: Options) -> Path:
    try:
        return Path(mkdtemp(prefix="tlsdemo-events-"))
    except OSError as problem:
        text = f"there is no folder for certificates: {_reason(problem)}; set TMPDIR to one"
        fail(options.command, text, status=1)


def _reason(problem: BaseException) -> str:
    cause = problem.__cause__ or problem
    return getattr(cause, "strerror", None) or str(cause)


def _open_keylog(options: Options, reactor: Any) -> AppendOnlyFile | None:
    if options["keylog"] is None:
        return None
    write_line(
        sys.stderr,
        f"{options.command}: the secrets of all connections are written to {options['keylog']}",
    )
    try:
        return AppendOnlyFile("keylog", Path(options["keylog"]), reactor)
    except CannotOpen as problem:
        fail(options.command, problem)
