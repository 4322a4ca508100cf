"""Controls a load from its beginning to its end: connect, send, drain, and ask what arrived."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from tlsdemo.loadgen.appointment import Appointment
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.condition_wait import Condition, ConditionWait
from tlsdemo.loadgen.course import Course
from tlsdemo.loadgen.hopeless import is_hopeless
from tlsdemo.loadgen.plan import Plan
from tlsdemo.loadgen.probe import NoProbe, Probe
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.scenario_catalogue import SCENARIOS, opened_first, packets_that_end
from tlsdemo.loadgen.schedule import Task, longest_standstill, shares
from tlsdemo.loadgen.server_counts import ServerCounts
from tlsdemo.loadgen.shard import REST_WITHIN
from tlsdemo.loadgen.worker_pool import LaunchWorker, WorkerPool, launch_process
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import CONFIRMED, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.window_result import WindowResult
from tlsdemo.tls import MODES, ModeName

READY_WITHIN = 60.0
"""Seconds that the worker processes have to start, and to load the certificates."""

ABORT_WITHIN = 2.0
"""Seconds for workers to abort their connections, before they are killed."""


class LoadPhase(enum.Enum):
    """The phases of a load, in their order."""

    STARTING = "starting"
    CONNECTING = "connecting"
    SENDING = "sending"
    DRAINING = "draining"
    OVER = "over"


ProgressCallback = Callable[[LoadPhase, LoadCounters, float], object]
"""Called with the phase, the counters, and the seconds since connecting began."""

WindowCallback = Callable[[int, float, float], object]
"""Called with the number of a window, its rate, and its seconds."""


class Controller:
    """Puts one load on a server.

    ``parts`` are what it consists of, for all workers together: each is divided among ``workers``.
    The load begins when every connection that is opened before has been secured or has failed.  It
    follows ``plan``, or ends before when every connection has.  ``status`` is the client endpoint
    string of the server's status service, or None if there is none.  ``on_progress`` is called
    whenever the phase or the counters change, ``on_window`` with the numbers, rates and seconds
    (infinite if its work ends it) of windows as they begin, ``on_interval`` with each interval.
    ``appointment``: when it begins, if not now.  ``launch`` starts a worker.  ``probe``: beside it.
    ``latencies`` returns what has been measured so far, before the load and in all its windows.
    """

    def __init__(
        self,
        reactor: Any,
        name: str,
        parts: Sequence[Task],
        workers: int,
        plan: Plan,
        status: str | None,
        on_progress: ProgressCallback,
        on_window: WindowCallback = lambda *_: None,
        on_interval: Callable[[Interval], object] = lambda _: None,
        appointment: Appointment | None = None,
        launch: LaunchWorker = launch_process,
        probe: Probe | None = None,
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._parts = parts
        self._workers = workers
        self._plan = plan
        self._timeout = max(part.timeout for part in parts)
        scenarios = [SCENARIOS[ScenarioName(part.scenario)] for part in parts]
        self._opened_first = opened_first(parts)
        self._ends_itself = packets_that_end(parts) > 0
        self._sends_unknown = any(
            part.packets and not scenario.opens_first
            for part, scenario in zip(parts, scenarios, strict=True)
        )
        # Of several parts, the work of the first is counted that has a rate.
        first = next((index for index, part in enumerate(parts) if part.work_rate), 0)
        self._main, self._unit = scenarios[first].main, scenarios[first].unit
        self._work_rate = parts[first].work_rate
        self._results: list[WindowResult] = []
        self._found: float | None = None
        self._server = ServerCounts(reactor, status, self._note_problem)
        self._on_progress, self._on_window = on_progress, on_window
        self._pool = WorkerPool(reactor, self._changed, self._worker_failed, launch)
        self.latencies = self._pool.all_latencies
        self._course = Course(self._pool, self._elapsed, on_interval, appointment is not None)
        self._appointment = appointment or Appointment(None, (), reactor.seconds)
        self._probe = probe or NoProbe()
        self._wait = ConditionWait(reactor)
        self._phase = LoadPhase.STARTING
        self._problem: str | None = None
        self._stopped = self._worker_lost = False
        self._killing: IDelayedCall | None = None
        self._started_at = 0.0

    # The phases, in their order.

    async def run(self) -> RunResult:
        """Run the load; problems do not raise, they are part of the result."""
        self._started_at = self._reactor.seconds()
        await self._server.connect()
        if not self._stopped:
            self._pool.start(shares(self._parts, self._workers))
            self._probe.start()
        await self._workers_ready()
        if self._stopped:
            # They have opened nothing, and may hang.
            self._pool.kill(self._pool.starting)
        else:  # Before the server is asked what it counts: its connection is none of the load's.
            await self._probe.open(READY_WITHIN)
        before = await self._server.snapshot()
        await self._appointed_time()
        # The time until all are secured does not include starting processes.
        self._started_at = self._reactor.seconds()
        if not self._stopped:
            self._appointment.start()
            self._enter(LoadPhase.CONNECTING)
            self._pool.send_command("open")
        await self._until_done(lambda: self._pool.settled or self._stopped, "settled")
        secured_at = self._reactor.seconds()
        opened = self._pool.counters()
        secured = await self._server.snapshot()
        if not self._stopped:
            self._enter(LoadPhase.SENDING)
            await self._follow_plan()
        self._enter(LoadPhase.DRAINING)
        self._probe.rest()
        self._pool.send_command("finish")
        await self._until_done(lambda: self._pool.over)
        arrived = await self._arrived()
        drained = await self._server.snapshot()
        over_at = self._reactor.seconds()
        probed = await self._probe.end(self._timeout, self._note_problem)
        self._enter(LoadPhase.OVER)
        self._pool.close()
        self._server.close()
        if self._killing is not None and self._killing.active():
            self._killing.cancel()
        snapshots = None
        if before is not None and secured is not None and drained is not None:
            snapshots = ServerSnapshots(before, secured, drained)
        return RunResult(
            name=self._name,
            connections=sum(part.connections for part in self._parts),
            opened_first=self._opened_first,
            counters=self._pool.counters(),
            # Its last latencies are reported later: a server confirms when it likes.
            opening=replace(
                self._result(0, 0.0, secured_at - self._started_at, LoadCounters()),
                counters=opened,
                unfinished=0,
            ),
            windows=tuple(self._results),
            intervals=tuple(self._course.kept),
            unit=self._unit,
            found=self._found,
            securing=secured_at - self._started_at,
            sending=over_at - secured_at,
            arrived=arrived,
            snapshots=snapshots,
            problem=self._problem,
            encrypted=MODES[ModeName(self._parts[0].mode)].encrypts,
            probe=probed,
        )

    def stop(self, why: str = "stopped before its end") -> None:
        """End the run early: close the connections cleanly, and return a result all the same."""
        if not self._stopped:
            self._stopped = True
            self._problem = self._problem or why
            self._probe.stop()
            self._changed()

    def abort(self) -> None:
        """End the run within `ABORT_WITHIN` seconds: abort the connections, and ask for no more."""
        self.stop()
        self._server.abort()
        self._probe.abort()
        self._pool.send_command("abort")
        if self._killing is None:
            kill = lambda: self._pool.kill(self._pool.in_work())  # noqa: E731
            self._killing = self._reactor.callLater(ABORT_WITHIN, kill)

    def agree_to_start(self, at: float) -> None:
        """Set the start of the appointment, if that was left open."""
        self._appointment.agree(at)
        self._wait.check()

    async def _appointed_time(self) -> None:
        self._appointment.ready()
        await self._wait.until(lambda: self._appointment.agreed or self._stopped)
        await self._wait.until_or_after(lambda: self._stopped, self._appointment.until_start())

    def measured_so_far(self) -> tuple[int, Latencies]:
        """Return the number of the current window, and what has been measured in it."""
        number = len(self._appointment.windows)
        return number, self._pool.latencies(number)

    async def _workers_ready(self) -> None:
        """Wait for the workers; if some are not ready in time, the run ends."""
        timer = self._reactor.callLater(READY_WITHIN, self._not_ready)
        await self._wait.until(lambda: self._pool.ready or self._stopped)
        if timer.active():
            timer.cancel()

    def _not_ready(self) -> None:
        missing = len(self._pool.starting)
        self._worker_failed(
            f"{missing} of {self._workers} worker processes were not ready to connect after "
            f"{READY_WITHIN:g} s; with fewer --workers, or fewer other programs, they start sooner"
        )

    async def _follow_plan(self) -> None:
        result: WindowResult | None = None
        while not (self._stopped or self._pool.over):
            try:
                window = next(self._plan) if result is None else self._plan.send(result)
            except StopIteration as end:
                self._found = end.value
                if self._found == 0:
                    rates = [each.rate for each in self._results]
                    self._note_problem(
                        f"the search found no rate that holds: {len(rates)} windows, from "
                        f"{min(rates):,.3g} to {max(rates):,.6g} per second"
                    )
                return
            until = self._appointment.until_window(window.number)
            await self._wait.until_or_after(lambda: self._stopped or self._pool.over, until)
            if self._stopped:
                return
            result = await self._run_window(window)
            self._results.append(result)

    async def _run_window(self, window: Window) -> WindowResult:
        if self._ends_itself:
            window = replace(window, seconds=inf)
        before = self._pool.counters()
        began = self._reactor.seconds()
        self._appointment.begin_window()
        self._course.begin(window)
        self._probe.begin(window.unmeasured)
        self._on_window(window.number, window.rate, window.length)
        self._pool.begin(window)
        ended = lambda: self._pool.over or self._stopped  # noqa: E731
        if self._ends_itself:
            await self._until_done(ended)
        else:
            await self._wait.until_or_after(ended, window.length)
        measured = self._reactor.seconds() - began - window.unmeasured
        if window.rate and not (self._stopped or self._ends_itself):
            measured = window.seconds
        self._pool.send_command("rest")
        await self._wait.until_or_after(
            lambda: self._pool.resting(window.number) or self._stopped,
            min(self._timeout, REST_WITHIN),
        )
        self._course.cut()
        return self._result(window.number, window.rate, max(0.0, measured), before)

    def _result(
        self, number: int, rate: float, seconds: float, before: LoadCounters
    ) -> WindowResult:
        return WindowResult(
            number,
            CONFIRMED if number == 0 else self._main,
            rate or self._work_rate,
            seconds,
            self._pool.counters().since(before),
            self._pool.latencies(number),
            self._pool.outstanding,
            self._pool.loads(number),
            before.open,
        )

    # Waiting.

    def _enter(self, phase: LoadPhase) -> None:
        self._course.enter(phase.value if phase is not LoadPhase.OVER else None)
        self._phase = phase
        self._report_progress()

    def _report_progress(self) -> None:
        self._on_progress(self._phase, self._pool.counters(), self._elapsed())

    def _elapsed(self) -> float:
        return float(self._reactor.seconds() - self._started_at)

    def _changed(self) -> None:
        self._report_progress()
        self._course.advance()
        if is_hopeless(self._pool.counters()):
            self.stop("stopped, as no connection could be secured")
        self._wait.check()

    def _worker_failed(self, problem: str) -> None:
        if not self._stopped:
            self._problem = problem
        self._worker_lost = True
        self.stop()
        self._changed()

    async def _until_done(self, condition: Condition, *states: str) -> None:
        """Wait for the workers; when none gets on, kill those that are not in these states."""
        within = longest_standstill(self._parts, opening=bool(states))
        pool = self._pool
        if not await self._wait.until_or_still(condition, lambda: pool.moved_at, within):
            stuck = pool.in_work(*states)
            what = "been secured or has failed" if states else "ended"
            self._worker_failed(
                f"{len(stuck)} of {self._workers} worker processes hang: for {within:g} s, longer "
                f"than the timeouts allow, none of their connections has {what}; they were "
                "killed"
            )
            pool.kill(stuck)
            await self._wait.until(condition)

    def _note_problem(self, problem: str) -> None:
        self._problem = self._problem or problem

    async def _arrived(self) -> int | None:
        # Not known are the addresses of the connections of a worker that died, and of those that
        # are opened in the course of the load.
        if self._worker_lost or not self._opened_first or self._sends_unknown:
            return None
        sent, peers = self._pool.counters().sent, sorted(set(self._pool.peers()))
        return await self._server.arrived(self._name, sent, peers, self._timeout)
