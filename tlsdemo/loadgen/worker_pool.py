"""The worker processes of a load, seen from the process that controls them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.child_process import ChildProcess, split_lines
from tlsdemo.reporting.load_counters import LoadCounters

COMMAND = (sys.executable, "-m", "tlsdemo.loadgen.worker")


class _Worker:
    """One worker process, and its last report."""

    def __init__(self, pool: WorkerPool, reactor: Any, task: Task) -> None:
        self._pool = pool
        self.state = "starting"
        self.counters = LoadCounters()
        self.peers: list[str] = []
        self.process = ChildProcess(reactor, COMMAND, stdout=split_lines(self._report_received))
        self.process.wait().addCallback(self._ended)
        self.send(task=task.as_json())

    def send(self, **message: object) -> None:
        self.process.write(json.dumps(message).encode() + b"\n")

    def _report_received(self, line: bytes) -> None:
        report = json.loads(line)
        self.state = report["state"]
        self.counters = LoadCounters.from_json(report["counters"])
        self.peers = report.get("peers", self.peers)
        self._pool.on_report()

    def _ended(self, _returncode: int) -> None:
        if self.state != "over":
            self.state = "over"
            self._pool.on_failure(f"a worker process ended: {self.process.error_message}")


class WorkerPool:
    """Starts a worker process for each task, and adds up what they report.

    ``on_report`` is called after each report.  ``on_failure`` is called with one line of text when
    a worker ends before its connections have.
    """

    def __init__(
        self,
        reactor: Any,
        on_report: Callable[[], object],
        on_failure: Callable[[str], object],
    ) -> None:
        self._reactor = reactor
        self.on_report = on_report
        self.on_failure = on_failure
        self._workers: list[_Worker] = []

    def start(self, tasks: Iterable[Task]) -> None:
        """Start the workers, which read their tasks and then wait for a command."""
        self._workers += [_Worker(self, self._reactor, task) for task in tasks]

    def send_command(self, command: str) -> None:
        """Send every worker one of ``open``, ``send``, ``finish`` and ``abort``."""
        for worker in self._workers:
            worker.send(do=command)

    def close(self) -> None:
        """Close the standard input of the workers, whereupon they exit."""
        for worker in self._workers:
            worker.process.close_stdin()

    def kill_starting(self) -> None:
        """Kill the workers that have not yet read their tasks."""
        for worker in self._workers:
            if worker.state == "starting":
                worker.process.kill()

    @property
    def starting(self) -> int:
        """How many workers have not yet read their tasks."""
        return sum(worker.state == "starting" for worker in self._workers)

    @property
    def ready(self) -> bool:
        """Whether every worker has read its task."""
        return self.starting == 0

    @property
    def settled(self) -> bool:
        """Whether every worker's connections have been secured or have failed."""
        return all(worker.state in ("settled", "over") for worker in self._workers)

    @property
    def over(self) -> bool:
        """Whether every connection has ended."""
        return all(worker.state == "over" for worker in self._workers)

    def counters(self) -> LoadCounters:
        """Return the sum of all workers' counters."""
        return LoadCounters.total(worker.counters for worker in self._workers)

    def peers(self) -> list[str]:
        """Return the local addresses of all connections, by which the server knows them."""
        return [peer for worker in self._workers for peer in worker.peers]
