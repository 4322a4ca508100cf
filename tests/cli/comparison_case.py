"""A ``tlsdemo run`` whose servers and loads are played by the test."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from twisted.internet.defer import Deferred, succeed

from tests.cli.refusals import RefusingCase
from tests.loadgen.fake_reactor import FakeReactor
from tests.support import certificates
from tlsdemo.cli import load_comparison
from tlsdemo.cli.launched_server import Place
from tlsdemo.cli.load_comparison import LoadComparison
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import CONNECT, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.web import run_pages

INTERRUPTED = "tlsdemo run: interrupted, the results are incomplete"


def result(name: str, lost: int = 0, clean: int = 2) -> RunResult:
    counters = LoadCounters(begun=2, secured=2, clean=clean, sent=100)
    return RunResult(name, 2, counters, 0.5, 1.0, arrived=100 - lost)


def latencies(name: str) -> Latencies:
    """Latencies of which one was measured."""
    found = Latencies()
    found.record(name, 0.001)
    return found


class ScriptedReactor(FakeReactor):
    """Runs what was to run, then ``script``, and then fires its shutdown triggers."""

    def __init__(self, script: Callable[[], object]) -> None:
        super().__init__()
        self._script = script

    def run(self) -> None:
        for function, arguments, keywords in self.whenRunningHooks:
            function(*arguments, **keywords)
        self._script()

    def interrupt(self) -> list[Any]:
        hooks = self.triggers["before"]["shutdown"]
        return [function(*arguments, **keywords) for function, arguments, keywords in hooks]


class FakeServer:
    """Starts when ``starting`` says so; each one made is in ``made``."""

    status = "unix:status"
    web = "socket"

    def __init__(
        self, case: ComparisonCase, arguments: list[str], place: Place | None, pages: bool
    ) -> None:
        case.assertEqual(pages, case.pages is not None)
        self.case = case
        self.arguments = arguments
        self.place = place
        self.connect = f"tcp:127.0.0.1:{len(case.servers)}"
        self.log = ["made"]
        case.servers.append(self)

    async def start(self) -> None:
        self.log.append("start")
        await self.case.starting()
        self.log.append("started")

    async def stop(self) -> str:
        self.log.append("stop")
        return ""


class FakeRun:
    """A load that ends with what ``ComparisonCase.going`` returns."""

    def __init__(self, case: ComparisonCase, arguments: tuple[Any, ...], probe: Any) -> None:
        self.case = case
        self.probe = probe
        _, self.name, (self.task,), self.workers, plan, self.status, *watches = arguments
        self.watch, self.window, self.interval = watches
        self.duration = next(plan).seconds
        self.stops = 0
        case.loads.append(self)

    async def run(self) -> RunResult:
        self.watch(LoadPhase.SENDING, LoadCounters(begun=2), 1.0)
        self.window(1, 0.0, self.duration)
        self.interval(Interval(1.0, 1.0, "sending", 1, 0.0, LoadCounters()))
        return await self.case.going(self.name)

    def latencies(self) -> Latencies:
        return latencies(CONNECT)

    def stop(self) -> None:
        self.stops += 1


@dataclass(frozen=True)
class FakeProbe:
    """A probe of the server at ``connect``, with ``rate`` messages a second."""

    connect: str
    rate: float

    def latencies(self) -> Latencies:
        return latencies(ROUND_TRIP)


class FakePages:
    """The live page: ``shown`` has what it is told."""

    address = "http://127.0.0.1:1/"

    def __init__(self, case: ComparisonCase, lead: str, latencies: Sequence[str]) -> None:
        self.lead = lead
        self.latencies = latencies
        self.shown: list[tuple[object, ...]] = []
        case.pages = self

    def begin(self, mode: str, path: str) -> None:
        self.shown.append(("begin", mode, path))

    def show_load(self, mode: str, phase: str, counters: LoadCounters, elapsed: float) -> None:
        self.shown.append(("load", mode, phase))

    def show_latencies(self, mode: str, found: Latencies, probed: Latencies | None) -> None:
        probes = 0 if probed is None else probed.count(ROUND_TRIP)
        self.shown.append(("latencies", mode, found.count(CONNECT), probes))

    def show_result(self, mode: str, result: RunResult) -> None:
        self.shown.append(("result", mode, result.name))

    async def end(self) -> None:
        self.shown.append(("end",))


class ComparisonCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.pages: FakePages | None = None
        self.servers: list[FakeServer] = []
        self.loads: list[FakeRun] = []
        self.starting: Callable[[], Deferred[None]] = lambda: succeed(None)
        self.going: Callable[[str], Deferred[RunResult]] = lambda name: succeed(result(name))
        self.script: Callable[[], object] = lambda: None
        self.patch(
            load_comparison,
            "LaunchedServer",
            lambda _, arguments, place, pages: FakeServer(self, arguments, place, pages),
        )
        self.patch(
            load_comparison,
            "Controller",
            lambda *arguments, probe: FakeRun(self, arguments, probe),
        )
        self.patch(load_comparison, "Probe", lambda _, task, rate: FakeProbe(task.connect, rate))
        self.patch(run_pages, "RunPages", lambda _, *arguments: FakePages(self, *arguments))
        self.printed = io.StringIO()
        self.progress = io.StringIO()

    def options(self, *arguments: str) -> RunOptions:
        options = RunOptions()
        where = certificates().authority.parent.parent
        options.parseOptions([f"--certs={where}", "--conn=2", "--workers=1", *arguments])
        return options

    def run_(self, *arguments: str) -> int:
        self.reactor = ScriptedReactor(lambda: self.script())
        console = Console(file=self.printed, width=200)
        progress = Progress(Console(file=self.progress))
        return LoadComparison(self.reactor, self.options(*arguments), console, (), progress).run()
