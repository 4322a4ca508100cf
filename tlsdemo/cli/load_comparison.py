"""The runs of one ``tlsdemo run`` command: each mode, with the baseline and each candidate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.cli.launched_server import CannotLaunch, LaunchedServer, Place
from tlsdemo.cli.load_options import LoadOptions
from tlsdemo.cli.options import fail
from tlsdemo.cli.scenario_contradictions import has_rate
from tlsdemo.cli.web_options import missing_extra
from tlsdemo.lab.compare.interleaving import ScheduledRun, interleaved_runs
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.probe import Probe
from tlsdemo.loadgen.scenario_catalogue import latency_names
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import CAN_MEASURE
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.load_page import LoadPage
from tlsdemo.reporting.load_report import (
    LoadResults,
    comparison_as_json,
    print_comparison,
    print_run,
)
from tlsdemo.reporting.objectives import verdicts
from tlsdemo.reporting.probe_result import PROBE
from tlsdemo.reporting.progress import Progress, standard_error
from tlsdemo.reporting.run_comparison import comparisons
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.terminal import print_line
from tlsdemo.tls import MODES, ModeName, versions
from tlsdemo.tls.policy import TLSVersion

if TYPE_CHECKING:
    from tlsdemo.web.run_pages import RunPages

BASELINE = "baseline"


@dataclass(frozen=True)
class CandidateServer:
    """Where a server with other versions is run; ``name`` identifies them for the user."""

    name: str
    versions: Mapping[str, str]
    place: Place


class LoadComparison:
    """Runs the load on each mode, in turn with the baseline and with each candidate."""

    def __init__(
        self,
        reactor: Any,
        options: LoadOptions,
        console: Console,
        candidates: Iterable[CandidateServer] = (),
        progress: Progress | None = None,
    ) -> None:
        self._reactor = reactor
        self._options = options
        self._console = console
        self._progress = progress or Progress(standard_error())
        self._workers = options.workers()
        self._server_credentials = options.credentials("server")
        self._task = options.task("", options["client-mode"] or ModeName.STARTTLS, "127.0.0.1")
        self._candidates = {each.name: each for each in candidates}
        self._baseline = LoadResults(BASELINE, versions())
        self._results = {
            BASELINE: self._baseline,
            **{name: LoadResults(name, each.versions) for name, each in self._candidates.items()},
        }
        self._takes_turns = options["repeat"] > 1 and not self._candidates
        self._brief = bool(self._candidates) or self._takes_turns
        self._current: Controller | None = None
        self._interrupted = False
        self._problem: str | None = None
        self._file_problem: str | None = None
        self._unwritable: OSError | None = None
        self._done: Deferred[None] | None = None
        self._pages: RunPages | None = None
        self._shown = False

    def run(self) -> int:
        """Run in the reactor until everything is done; return the exit status.

        Raises OSError if a result could not be written to standard output.
        """
        if self._options["web"]:
            self._pages = self._make_pages()
        self._reactor.callWhenRunning(self._begin)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._reactor.run()
        if self._unwritable is not None:
            raise self._unwritable
        self._show_results()
        if self._file_problem is not None:
            fail(self._options.command, self._file_problem)
        if self._problem is not None:
            fail(self._options.command, self._problem, status=1)
        results = [run for each in self._results.values() for run in each.all()]
        held = True
        for holds, verdict in self._verdicts():
            held = held and holds
            print_line(self._console, verdict)
        return 0 if held and all(run.complete and not run.lost for run in results) else 1

    def _make_pages(self) -> RunPages:
        try:
            from tlsdemo.web.run_pages import RunPages
        except ImportError as problem:
            fail(self._options.command, missing_extra(problem), status=1)
        lead = f"The same load on each mode: {self._load_text()}."
        parts, probe_rate = self._options.parts(self._task), self._options["probe-rate"]
        names = latency_names(parts, has_rate(self._options)) if CAN_MEASURE else []
        if probe_rate:
            lead += f" One more connection has a probe, {probe_rate:g} messages a second."
            names.append(PROBE)
        pages = RunPages(self._reactor, lead, names)
        self._console.print(f"the live page is at {pages.address}", highlight=False)
        return pages

    def _show_results(self) -> None:
        """Print and write the results, once."""
        if self._shown:
            return
        self._shown = True
        candidates = [self._results[name] for name in self._candidates]
        results = [run for each in self._results.values() for run in each.all()]
        if results:
            print_comparison(self._console, self._load_text(), self._baseline, candidates)
        if self._options["json"] is not None:
            document = comparison_as_json(self._baseline, candidates)
            self._write("json", json.dumps(document, indent=2) + "\n")
        if self._options["html"] is not None:
            self._write("html", self._page().html())

    def _page(self) -> LoadPage:
        """Return the page of all runs."""
        return LoadPage(
            "The same load on each mode",
            self._load_text(),
            self._titled(),
            [*self._verdicts()],
            self._baseline.versions,
            comparisons(self._baseline.as_json()) if self._takes_turns else (),
        )

    def _titled(self) -> dict[str, RunResult]:
        """Return all runs, by titles that tell them apart."""
        runs: dict[str, RunResult] = {}
        for each in self._results.values():
            for mode, rounds in each.runs.items():
                for number, result in enumerate(rounds, 1):
                    title = f"{mode} run {number}" if self._takes_turns else mode
                    runs[f"{mode}, {each.name} {number}" if self._candidates else title] = result
        return runs

    def _load_text(self) -> str:
        size = self._task.packet_size
        return f"{self._options['conn']:,} connections, packets of {size} B"

    def _verdicts(self) -> Iterator[tuple[bool, str]]:
        searches = bool(self._options["find-max"])
        for title, run in self._titled().items():
            for holds, verdict in verdicts(self._options["check"], run, searches):
                yield holds, f"{title}: check {verdict}"

    def _begin(self) -> None:
        self._done = Deferred.fromCoroutine(self._run_all()).addErrback(self._failed)
        self._done.addBoth(self._stop)

    def _failed(self, failure: Failure) -> None:
        if failure.value is not self._unwritable and not failure.check(CannotLaunch):
            failure.printTraceback(sys.stderr)
        self._problem = self._problem or failure.getErrorMessage()

    def _stop(self, _: object) -> None:
        self._done = None
        if self._interrupted:
            return
        if self._pages is None or self._problem is not None:
            self._reactor.stop()
            return
        self._show_results()
        text = f"the live page stays at {self._pages.address} until Ctrl-C"
        self._console.print(text, highlight=False)

    def _interrupt(self) -> Deferred[None] | None:
        self._interrupted = True
        if self._done is not None:
            self._problem = "interrupted, the results are incomplete"
            if self._current is not None:
                self._current.stop()
        return self._done

    async def _run_all(self) -> None:
        modes, repeat = self._options["modes"], self._options["repeat"]
        turns = list(interleaved_runs(modes, list(self._results), repeat))
        for number, turn in enumerate(turns, 1):
            if not self._interrupted:
                name = f"{turn.mode.value}, {turn.environment}"
                name = name if self._candidates else turn.mode.value
                of_all = f" ({number} of {len(turns)})" if len(turns) > 1 else ""
                self._progress.title = f"{name}{of_all}"
                try:
                    await self._run_one(turn)
                finally:
                    self._progress.clear()

    async def _run_one(self, turn: ScheduledRun[ModeName]) -> None:
        candidate = self._candidates.get(turn.environment)
        arguments = self._server_arguments(turn.mode)
        place = None if candidate is None else candidate.place
        pages = self._pages
        server = LaunchedServer(self._reactor, arguments, place, pages is not None)
        self._progress.begin("starting a server")
        await server.start()
        try:
            if pages is not None:
                pages.begin(turn.mode.value, server.web)
            if not self._interrupted:
                result = await self._load(turn, server)
                self._results[turn.environment].add(turn.mode.value, result)
            if pages is not None:
                await pages.end()
        finally:
            await server.stop()

    def _server_arguments(self, mode: ModeName) -> list[str]:
        credentials = self._server_credentials
        passphrase_file = self._options["passphrase-file"]
        policy = self._options["policy"]
        delivery = self._options["delivery"]
        with_tls = [
            f"--cert={credentials.certificate}",
            f"--key={credentials.key}",
            f"--ca={credentials.authority}",
            *([f"--passphrase-file={passphrase_file}"] if passphrase_file else []),
            f"--tls-min={policy.lowest.value}",
            f"--tls-max={policy.highest.value}",
            *([] if policy.lowest is TLSVersion.TLS_1_3 else [f"--ciphers={policy.ciphers}"]),
            *([f"--groups={policy.groups}"] if policy.groups else []),
        ]
        certs = self._options["certs"]
        return [
            f"--mode={mode.value}",
            *(with_tls if MODES[mode].encrypts else []),
            *([f"--certs={certs}"] if certs else []),
            f"--dialect={self._server_dialect(mode)}",
            *(["--role=echo"] if self._options.echoes() else []),
            # Clients are idle while they wait for the others to be secured. While they send,
            # their own idle timeout applies.
            "--idle-timeout=0",
            *([f"--delivery={delivery.value}"] if delivery else []),
        ]

    def _server_dialect(self, mode: ModeName) -> str:
        # Without an upgrade there is no negotiation before TLS.
        return self._task.dialect if MODES[mode].allows_negotiation else "immediate"

    async def _load(self, turn: ScheduledRun[ModeName], server: LaunchedServer) -> RunResult:
        mode, title = turn.mode, self._title(turn)
        task: Task = replace(
            self._task,
            connect=server.connect,
            mode="clear" if mode is ModeName.CLEAR else self._task.mode,
            dialect=self._server_dialect(mode),
        )
        parts = self._options.parts(task)
        shown = self._options.load_progress(self._progress, parts)

        def show(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
            shown.show(phase.value, counters, elapsed)
            if self._pages is not None:
                self._pages.show_load(mode.value, phase.value, counters, elapsed)

        def show_interval(interval: Interval) -> None:
            shown.interval(interval)
            if self._pages is not None:
                probed = None if probe is None else probe.latencies()
                self._pages.show_latencies(mode.value, controller.latencies(), probed)

        rate = self._options["probe-rate"]
        probe = Probe(self._reactor, task, rate) if rate else None
        controller = self._current = Controller(
            self._reactor,
            mode.value,
            parts,
            self._workers,
            self._options.plan(),
            server.status,
            show,
            shown.window,
            show_interval,
            probe=probe,
        )
        try:
            result = await controller.run()
        finally:
            self._progress.clear()
            self._current = None
        if self._pages is not None:
            self._pages.show_result(mode.value, result)
        try:
            print_run(self._console, title, result, brief=self._brief)
        except OSError as problem:
            self._unwritable = problem
            raise
        return result

    def _title(self, turn: ScheduledRun[ModeName]) -> str:
        if not self._brief:
            return turn.mode.value
        name = f"{turn.mode.value}, {turn.environment}" if self._candidates else turn.mode.value
        return f"{name}, {turn.round} of {self._options['repeat']}"

    def _write(self, option: str, text: str) -> None:
        path: str = self._options[option]
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as problem:
            self._file_problem = self._file_problem or (
                f"--{option} is {path!r}: {problem.strerror}"
            )
