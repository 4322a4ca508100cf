"""The worker processes of a load, seen from the process that controls them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.child_process import ChildProcess, split_lines
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WorkerLoad, worker_load

SILENT_WITHIN = 30.0
"""Seconds without a report after which a worker hangs, or has no CPU, and is killed."""

COMMAND = (sys.executable, "-m", "tlsdemo.loadgen.worker")


Receiver = Callable[[bytes], object]

LaunchWorker = Callable[[Any, Receiver], Any]
"""Starts a worker on a reactor, and calls the receiver with what it writes.

Returns a ChildProcess, or what behaves like one.
"""


def launch_process(reactor: Any, receive: Receiver) -> ChildProcess:
    """Start a worker process."""
    return ChildProcess(reactor, COMMAND, stdout=receive)


class _Measured:
    """What one worker has measured in one window."""

    def __init__(self, cpu: float, at: float) -> None:
        self.latencies = Latencies()
        self._began = self._ended = (cpu, at)

    def until(self, cpu: float, at: float) -> None:
        self._ended = (cpu, at)

    def next(self) -> _Measured:
        """Return a new one, which begins where this has ended."""
        return _Measured(*self._ended)

    def load(self) -> WorkerLoad:
        (cpu_before, before), (cpu_after, after) = self._began, self._ended
        return worker_load(self.latencies, cpu_after - cpu_before, after - before)


class _Worker:
    """One worker process, and its last report."""

    def __init__(self, pool: WorkerPool, reactor: Any, tasks: Sequence[Task]) -> None:
        self._pool = pool
        self._reactor = reactor
        self._tasks = tasks
        self.state = "starting"
        self.window = 0
        self.resting = True
        self.outstanding = 0
        self.counters = LoadCounters()
        self.measured: dict[int, _Measured] = {}
        self.interval = _Measured(0.0, 0.0)
        self.peers: list[str] = []
        self._silence: IDelayedCall | None = None
        self._broken = False
        self.process = pool.launch(reactor, split_lines(self._report_received))
        self.process.wait().addCallback(self._ended)
        self.send(tasks=[task.as_json() for task in tasks])

    def send(self, **message: object) -> None:
        self.process.write(json.dumps(message).encode() + b"\n")

    def begin(self, window: Window) -> None:
        windows = [replace(window, rate=task.work_rate or window.rate) for task in self._tasks]
        self.send(do="begin", windows=[each.as_json() for each in windows])

    def _report_received(self, line: bytes) -> None:
        if self._broken:
            return
        try:
            self._take(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            # What it has measured since its last report is not known.
            self._broken = True
            self._pool.on_failure(
                f"a worker process said what is no report, and was killed: {line[:100]!r}"
            )
            self.process.kill()
            return
        self._heard()
        self._pool.on_report()

    def _take(self, report: dict[str, Any]) -> None:
        before = self.state, self.resting, self.outstanding, self.counters
        cpu, at = report["cpu"], report["at"]
        if self.state == "starting":
            self.interval = _Measured(cpu, at)
        self.state = report["state"]
        self.window = report["window"]
        self.resting = report["resting"]
        self.outstanding = report["outstanding"]
        self.counters = LoadCounters.from_json(report["counters"])
        if self.window not in self.measured or (before[1] and not self.resting):
            self.measured[self.window] = _Measured(cpu, at)
        measured = self.measured[self.window]
        if not self.resting:
            measured.until(cpu, at)
        self.interval.until(cpu, at)
        for number, encoded in report["latencies"].items():
            latencies = Latencies.from_json(encoded)
            self.measured[int(number)].latencies.add(latencies)
            self.interval.latencies.add(latencies)
        self.peers = report.get("peers", self.peers)
        if before != (self.state, self.resting, self.outstanding, self.counters):
            self._pool.moved()

    def _heard(self) -> None:
        """Expect the next report, unless this was the last."""
        if self.state == "over":
            self._expect_nothing()
        elif self._silence is None:
            self._silence = self._reactor.callLater(SILENT_WITHIN, self._hangs)
        elif self._silence.active():
            self._silence.reset(SILENT_WITHIN)

    def _expect_nothing(self) -> None:
        if self._silence is not None and self._silence.active():
            self._silence.cancel()

    def _hangs(self) -> None:
        self._pool.on_failure(
            f"a worker process hangs: it has said nothing for {SILENT_WITHIN:g} s, and was killed; "
            "if other programs need all of the CPU, let fewer run beside it"
        )
        self.process.kill()

    def _ended(self, _returncode: int) -> None:
        self._expect_nothing()
        if self.state != "over":
            self.state = "over"
            self.resting, self.outstanding = True, 0
            self._pool.on_failure(f"a worker process ended: {self.process.error_message}")


class WorkerPool:
    """Starts a worker process for each list of tasks, and adds up what they report.

    ``on_report`` is called after each report.  ``on_failure`` is called with one line of text when
    a worker ends before its connections have.  ``launch`` starts a worker.
    """

    def __init__(
        self,
        reactor: Any,
        on_report: Callable[[], object],
        on_failure: Callable[[str], object],
        launch: LaunchWorker = launch_process,
    ) -> None:
        self._reactor = reactor
        self.on_report = on_report
        self.on_failure = on_failure
        self.launch = launch
        self._workers: list[_Worker] = []
        self.moved_at = 0.0

    def moved(self) -> None:
        """Note that a worker has got on, or was told to do something."""
        self.moved_at = self._reactor.seconds()

    def start(self, tasks: Iterable[Sequence[Task]]) -> None:
        """Start the workers, which read their tasks and then wait for a command."""
        self._workers += [_Worker(self, self._reactor, each) for each in tasks]

    def send_command(self, command: str) -> None:
        """Send every worker one of ``open``, ``rest``, ``finish`` and ``abort``."""
        self.moved()
        for worker in self._workers:
            worker.send(do=command)

    def begin(self, window: Window) -> None:
        """Begin a window; a task that has a rate keeps it."""
        self.moved()
        for worker in self._workers:
            worker.begin(window)

    def close(self) -> None:
        """Close the standard input of the workers, whereupon they exit."""
        for worker in self._workers:
            worker.process.close_stdin()

    def kill(self, workers: Iterable[_Worker]) -> None:
        """Kill some of the workers."""
        for worker in workers:
            worker.process.kill()

    @property
    def starting(self) -> list[_Worker]:
        """The workers that have not yet read their tasks."""
        return [worker for worker in self._workers if worker.state == "starting"]

    def in_work(self, *states: str) -> list[_Worker]:
        """Return the workers that are neither over nor in one of these states."""
        return [worker for worker in self._workers if worker.state not in ("over", *states)]

    @property
    def ready(self) -> bool:
        """Whether every worker has read its task."""
        return not self.starting

    @property
    def settled(self) -> bool:
        """Whether every worker's connections have been secured or have failed."""
        return not self.in_work("settled")

    @property
    def over(self) -> bool:
        """Whether every connection has ended."""
        return not self.in_work()

    def resting(self, window: int) -> bool:
        """Whether every worker rests after a window, and what it began then is done."""
        return all(
            worker.state == "over"
            or (worker.window == window and worker.resting and not worker.outstanding)
            for worker in self._workers
        )

    @property
    def outstanding(self) -> int:
        """The work that has been begun, and is not done."""
        return sum(worker.outstanding for worker in self._workers)

    def latencies(self, window: int) -> Latencies:
        """Return what all workers have measured in a window."""
        return Latencies.total(
            worker.measured[window].latencies
            for worker in self._workers
            if window in worker.measured
        )

    def all_latencies(self) -> Latencies:
        """Return what all workers have measured so far, in all windows."""
        return Latencies.total(
            each.latencies for worker in self._workers for each in worker.measured.values()
        )

    def loads(self, window: int) -> tuple[WorkerLoad, ...]:
        """Return how busy each worker was in a window."""
        return tuple(
            worker.measured[window].load() for worker in self._workers if window in worker.measured
        )

    def take_interval(self) -> tuple[Latencies, tuple[WorkerLoad, ...]]:
        """Return what was measured since this was called last, and how busy each worker was."""
        taken = [worker.interval for worker in self._workers]
        for worker in self._workers:
            worker.interval = worker.interval.next()
        return (
            Latencies.total(each.latencies for each in taken),
            tuple(each.load() for each in taken),
        )

    def counters(self) -> LoadCounters:
        """Return the sum of all workers' counters."""
        return LoadCounters.total(worker.counters for worker in self._workers)

    def peers(self) -> list[str]:
        """Return the local addresses of all connections, by which the server knows them."""
        return [peer for worker in self._workers for peer in worker.peers]
