"""``tlsdemo run``: server and client in one command, one mode after the other, side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.python import usage
from twisted.python.failure import Failure

from tlsdemo.cli.comparison_options import AgainstOptions
from tlsdemo.cli.launched_server import CannotLaunch, LaunchedServer, Place
from tlsdemo.cli.load_options import LOAD_PARAMETERS, SENDS, LoadOptions
from tlsdemo.cli.options import choice, fail, named, whole
from tlsdemo.lab.compare.environment_builder import environment_variables
from tlsdemo.lab.compare.interleaving import ScheduledRun, interleaved_runs
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.comparison_table import comparison
from tlsdemo.reporting.cost_differences import differences
from tlsdemo.reporting.cost_table import cost_table
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import cost_line, result_lines, versions_text
from tlsdemo.tls import Delivery, ModeName, versions

HERE = "here"

_UPGRADES = (ModeName.STARTTLS, ModeName.PAIR)

_SECONDS_OF_A_ROUND = 2.0


class RunOptions(AgainstOptions, LoadOptions):
    """The options of ``tlsdemo run``."""

    command = "tlsdemo run"

    synopsis = "Usage: tlsdemo run [options]"

    longdesc = (
        "Starts a server and its clients, puts the same load on each --mode, one after the other, "
        "and shows the modes side by side. The exit status is 0 only if every connection was "
        "secured and no byte was lost. With --against or --python, the same load is put on a "
        "server with other versions too, in turn with the one here, and the costs are compared."
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        *LOAD_PARAMETERS,
        ["delivery", None, None, "How cleartext reaches the server's application: record, "
         "coalesced or readable. [default: what is stock for the mode]", choice(Delivery)],
        ["client-mode", None, None, "How the clients' end is secured: starttls, pair or wrapped. "
         "[default: starttls]", choice(ModeName)],
        ["send", None, "raw", "raw: every packet becomes a TLS record of its own; buffered: small "
         "writes are joined; stock: what is usual for --client-mode."],
        ["json", None, None, "Write the figures to this file too."],
        ["rounds", None, 5, "How often each is measured, with --against or --python; --duration "
         f"is {_SECONDS_OF_A_ROUND:g} then, unless it is given.", whole(1, 1000)],
    ])  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self["modes"] = []

    def opt_mode(self, name: str) -> None:
        """How the server secures its connections; can be repeated.

        starttls, pair, wrapped or clear. [default: starttls and pair]
        """
        try:
            self["modes"].append(choice(ModeName)(name))
        except ValueError as problem:
            raise usage.UsageError(f"--mode is {name!r}, {problem}") from None

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        self["modes"] = self["modes"] or [ModeName.STARTTLS, ModeName.PAIR]
        if self["send"] not in SENDS:
            raise usage.UsageError(f"--send is {self['send']!r}, none of {', '.join(SENDS)}")
        if self["client-mode"] is ModeName.CLEAR:
            raise usage.UsageError("--client-mode is clear, which only --mode=clear goes with")
        if self["json"] is not None and not Path(self["json"]).absolute().parent.is_dir():
            raise usage.UsageError(f"--json is {self['json']!r}, and that folder does not exist")

        if self["against"] or self["python"] is not None:
            if not self.is_given("duration"):
                self["duration"] = _SECONDS_OF_A_ROUND
        elif self.is_given("rounds"):
            raise usage.UsageError("--rounds goes with --against or --python only")

    def run(self) -> int:
        """Run, show the table, and return the exit status."""
        with self.environments() as environments:
            # Only here, because what builds environments must not be held up by a reactor.
            from twisted.internet import reactor

            others = [
                Other(name, each.versions, Place(str(each.python), environment_variables(each)))
                for name, each in environments.items()
            ]
            return Comparison(reactor, self, Console(), others).run()


@dataclass(frozen=True)
class Other:
    """Another place to compare with: what the user calls it, its versions, and where it is."""

    name: str
    versions: Mapping[str, str]
    place: Place


class Comparison:
    """The runs of one command."""

    def __init__(
        self, reactor: Any, options: RunOptions, console: Console, others: Iterable[Other] = ()
    ) -> None:
        self._reactor = reactor
        self._options = options
        self._console = console
        self._workers = options.workers()
        self._server_credentials = options.credentials("server")
        self._task = options.task("", options["client-mode"] or ModeName.STARTTLS, "127.0.0.1")
        self._others = {each.name: each for each in others}
        self._results: list[tuple[ScheduledRun[ModeName], RunResult]] = []
        self._current: Controller | None = None
        self._interrupted = False
        self._problem: str | None = None
        self._done: Deferred[None] | None = None

    def run(self) -> int:
        """Run in the reactor until everything is done; return the exit status."""
        self._reactor.callWhenRunning(self._begin)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._reactor.run()
        if self._results:
            self._show()
        if self._options["json"] is not None:
            self._write_json(Path(self._options["json"]))
        if self._problem is not None:
            fail(self._options.command, self._problem, status=1)
        return 0 if all(run.complete and run.lost == 0 for _, run in self._results) else 1

    def _begin(self) -> None:
        self._done = Deferred.fromCoroutine(self._go()).addErrback(self._failed)
        self._done.addBoth(self._stop)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CannotLaunch):
            failure.printTraceback(sys.stderr)
        self._problem = self._problem or failure.getErrorMessage()

    def _stop(self, _: object) -> None:
        self._done = None
        if not self._interrupted:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[None] | None:
        self._interrupted = True
        if self._done is not None:
            self._problem = "interrupted: the figures are those until then"
            if self._current is not None:
                self._current.stop()
        return self._done

    async def _go(self) -> None:
        rounds = self._options["rounds"] if self._others else 1
        for turn in interleaved_runs(self._options["modes"], [HERE, *self._others], rounds):
            if not self._interrupted:
                await self._one(turn)

    async def _one(self, turn: ScheduledRun[ModeName]) -> None:
        mode = turn.mode
        credentials = self._server_credentials
        policy = self._options["policy"]
        delivery = self._options["delivery"]
        server = LaunchedServer(
            self._reactor,
            [
                f"--mode={mode.value}",
                f"--cert={credentials.certificate}",
                f"--key={credentials.key}",
                f"--ca={credentials.authority}",
                f"--dialect={self._server_dialect(mode)}",
                f"--tls-min={policy.lowest.value}",
                f"--tls-max={policy.highest.value}",
                f"--ciphers={policy.ciphers}",
                # Clients that wait for the others to be secured are silent on purpose; theirs is
                # the deadline for those that send.
                "--idle-timeout=0",
                *([f"--delivery={delivery.value}"] if delivery else []),
            ],
            self._others[turn.environment].place if turn.environment in self._others else None,
        )
        await server.start()
        try:
            if not self._interrupted:
                self._results.append((turn, await self._load(turn, server)))
        finally:
            await server.stop()

    def _server_dialect(self, mode: ModeName) -> str:
        # Words before TLS have no place where TLS is there from the first byte, or not at all.
        return self._task.dialect if mode in _UPGRADES else "immediate"

    async def _load(self, turn: ScheduledRun[ModeName], server: LaunchedServer) -> RunResult:
        mode, title = turn.mode, self._title(turn)
        client_mode = "clear" if mode is ModeName.CLEAR else self._task.mode
        task: Task = replace(
            self._task,
            connect=server.connect,
            mode=client_mode,
            dialect=self._server_dialect(mode),
        )
        progress = Progress(self._console, title, task.connections)

        def watch(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
            progress.show(phase.value, counters, elapsed)

        self._current = Controller(
            self._reactor,
            mode.value,
            task,
            self._workers,
            self._options["duration"],
            server.status,
            watch,
        )
        progress.start()
        try:
            result = await self._current.run()
        finally:
            progress.stop()
            self._current = None
        # Of the many runs of a comparison, those that went as they should are told in a line.
        brief = self._others and result.complete and result.lost == 0
        for line in [cost_line(result)] if brief else result_lines(result):
            text = f"{title}: {line}"
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
        return result

    def _title(self, turn: ScheduledRun[ModeName]) -> str:
        if not self._others:
            return turn.mode.value
        return f"{turn.mode.value}, {turn.environment}, {turn.round} of {self._options['rounds']}"

    def _runs(self, place: str) -> dict[str, list[RunResult]]:
        """Return what came of the runs in that place, by mode, a round after the other."""
        runs: dict[str, list[RunResult]] = {}
        for turn, run in self._results:
            if turn.environment == place:
                runs.setdefault(turn.mode.value, []).append(run)
        return runs

    def _show(self) -> None:
        what = f"{self._options['conn']:,} connections, packets of {self._task.packet_size} B"
        if not self._others:
            self._console.print(comparison([run for _, run in self._results], what))
        for name, other in self._others.items():
            title = f"{what}; there: {name}"
            compared = differences(self._runs(HERE), self._runs(name))
            self._console.print(cost_table(compared, title))
            for label, found in (("here", versions()), ("there", other.versions)):
                text = f"{label}: {versions_text(found)}"
                self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _write_json(self, path: Path) -> None:
        here = self._runs(HERE)
        result: dict[str, Any] = {"versions": versions(), "runs": _plain(here)}
        if self._others:
            result["against"] = [
                {
                    "name": name,
                    "versions": dict(other.versions),
                    "runs": _plain(self._runs(name)),
                    "differences": [each.as_json() for each in differences(here, self._runs(name))],
                }
                for name, other in self._others.items()
            ]
        try:
            path.write_text(json.dumps(result, indent=2) + "\n")
        except OSError as problem:
            self._problem = self._problem or f"--json is {str(path)!r}: {problem.strerror}"


def _plain(runs: Mapping[str, list[RunResult]]) -> list[dict[str, Any]]:
    return [run.as_json() for of_a_mode in runs.values() for run in of_a_mode]
