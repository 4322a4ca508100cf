"""A probe: how long a message takes through a server while a load is on it.

It has one connection, and a process of its own, as the workers of the load are busy.  Its messages
are those that the embedded sink of a server sends back, as a server with ``--role=echo`` does.
They are due by a plan whether the earlier ones have come back or not, and each is timed from when
it was due: a server that stands still delays all that were due meanwhile, and all are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.condition_wait import ConditionWait
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.worker_pool import LaunchWorker, WorkerPool, launch_process
from tlsdemo.net.probe_line import PROBE_LINE
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.probe_result import ProbeResult

MOST_WAITING = 10_000
"""Messages without an answer; those that are due beyond them count as unanswered."""

END_WITHIN = 10.0
"""Seconds for the process to close its connection and end, before it is killed."""

_WINDOW = 1


class Probe:
    """Sends ``rate`` messages a second to the server of ``task``, the task of a load.

    The calls belong in this order: `start`, `open`, `begin`, `rest`, `end`; only the first and the
    last are needed.  ``launch`` starts the process.
    """

    def __init__(
        self, reactor: Any, task: Task, rate: float, launch: LaunchWorker = launch_process
    ) -> None:
        line = PROBE_LINE.decode("ascii")
        self._task = replace(
            task,
            scenario=ScenarioName.PINGPONG.value,
            connections=1,
            rate=0.0,
            packet_size=len(PROBE_LINE),
            packets=0,
            prefill=False,
            say=line,
            expect=line,
            pipeline=MOST_WAITING,
        )
        self._rate = rate
        self._wait = ConditionWait(reactor)
        self._pool = WorkerPool(reactor, self._wait.check, self._failed, launch)
        self._begun = False
        self._stopped = False
        self._problem: str | None = None

    def start(self) -> None:
        """Start the process."""
        self._pool.start([[self._task]])

    async def open(self, within: float) -> None:
        """Connect, once the process is ready, for which it has ``within`` seconds."""
        await self._wait.until_or_after(lambda: self._pool.ready or self._stopped, within)
        if not self._pool.ready:
            self._pool.kill(self._pool.starting)
        self._pool.send_command("open")
        await self._wait.until(lambda: self._pool.settled or self._stopped)

    def begin(self, unmeasured: float) -> None:
        """Send messages, if it does not do so already.

        Those of the first ``unmeasured`` seconds are not measured.
        """
        if self._begun:
            return
        self._begun = True
        self._pool.begin(Window(_WINDOW, self._rate, warm_up=unmeasured))

    def rest(self) -> None:
        """Send no more messages."""
        self._pool.send_command("rest")

    def stop(self) -> None:
        """End `open` and `end` early."""
        self._stopped = True
        self._wait.check()

    def abort(self) -> None:
        """Kill the process: what it has not measured is not known."""
        self.stop()
        self._pool.kill(self._pool.in_work())

    async def end(self, within: float, on_problem: Callable[[str], object]) -> ProbeResult:
        """Wait for the last answers, for at most ``within`` seconds, and return the result.

        ``on_problem`` is called with one line if it could not measure, or not all.
        """
        pool = self._pool
        if self._begun:
            await self._wait.until_or_after(lambda: pool.resting(_WINDOW) or self._stopped, within)
        result = self._result()
        if result.problem is not None:
            on_problem(f"the probe failed: {result.problem}")
        pool.send_command("abort" if pool.outstanding else "finish")
        await self._wait.until_or_after(lambda: pool.over, END_WITHIN)
        pool.kill(pool.in_work())
        pool.close()
        return result

    def latencies(self) -> Latencies:
        """Return what has been measured so far."""
        return self._pool.latencies(_WINDOW)

    def _result(self) -> ProbeResult:
        counters = self._pool.counters()
        for cause in counters.failed:
            detail = counters.details.get(cause)
            self._problem = self._problem or f"{cause}{f': {detail}' if detail else ''}"
        unanswered = counters.packets - counters.answered
        if unanswered >= MOST_WAITING:
            # Otherwise only those are missed that were due in the last moment.
            unanswered += counters.missed
        (load,) = self._pool.loads(_WINDOW) or (None,)
        lag = None if load is None else load.lag
        return ProbeResult(self._rate, self.latencies(), unanswered, lag, self._problem)

    def _failed(self, problem: str) -> None:
        if not self._stopped:
            self._problem = self._problem or problem
        self._wait.check()


class NoProbe:
    """Stands where there is no probe."""

    def start(self) -> None:
        """Do nothing."""

    async def open(self, within: float) -> None:
        """Do nothing."""

    def begin(self, unmeasured: float) -> None:
        """Do nothing."""

    def rest(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""

    async def end(self, within: float, on_problem: Callable[[str], object]) -> ProbeResult | None:
        """Return no result."""
        return None
