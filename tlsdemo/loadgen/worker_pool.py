"""The workers of a load, seen from the process that gives the orders."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import tlsdemo
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.load_counters import LoadCounters

_MOST_OF_AN_ERROR = 1 << 14


class _WorkerProcess(ProcessProtocol):
    """One worker process."""

    transport: Any

    def __init__(self, pool: WorkerPool, task: Task) -> None:
        self._pool = pool
        self._task = task
        self._buffer: list[bytes] = []
        self._errors = b""
        self.state = "starting"
        self.counters = LoadCounters()
        self.peers: list[str] = []

    def order(self, **message: object) -> None:
        if self.transport.pid is not None:
            self.transport.write(json.dumps(message).encode() + b"\n")

    def connectionMade(self) -> None:
        self.order(task=self._task.as_json())

    def outReceived(self, data: bytes) -> None:
        *ends, rest = data.split(b"\n")
        for end in ends:
            line = b"".join([*self._buffer, end])
            self._buffer = []
            self._reported(json.loads(line))
        if rest:
            self._buffer.append(rest)

    def _reported(self, report: dict[str, Any]) -> None:
        self.state = report["state"]
        self.counters = LoadCounters.from_json(report["counters"])
        self.peers = report.get("peers", self.peers)
        self._pool.changed()

    def errReceived(self, data: bytes) -> None:
        self._errors = (self._errors + data)[-_MOST_OF_AN_ERROR:]

    def processEnded(self, reason: Failure) -> None:
        if self.state != "over":
            last = self._errors.decode(errors="replace").strip().rpartition("\n")[2]
            self.state = "over"
            self._pool.broken(f"a worker process ended: {last or reason.getErrorMessage()}")


class WorkerPool:
    """Starts a worker for each task; ``changed`` is called whenever one has reported.

    ``broken`` is called with a line of text if one ends before its work does.
    """

    def __init__(
        self,
        reactor: Any,
        changed: Callable[[], object],
        broken: Callable[[str], object],
    ) -> None:
        self._reactor = reactor
        self.changed = changed
        self.broken = broken
        self._workers: list[_WorkerProcess] = []

    def start(self, tasks: Iterable[Task]) -> None:
        """Start the workers, which wait for the order to open."""
        arguments = [sys.executable, "-m", "tlsdemo.loadgen.worker"]
        for task in tasks:
            hand = _WorkerProcess(self, task)
            self._workers.append(hand)
            self._reactor.spawnProcess(hand, sys.executable, arguments, env=environment())

    def order(self, do: str) -> None:
        """Tell every worker to ``open``, ``send``, ``finish`` or ``abort``."""
        for hand in self._workers:
            hand.order(do=do)

    def dismiss(self) -> None:
        """Close the workers' inputs, at which they end."""
        for hand in self._workers:
            hand.transport.closeStdin()

    @property
    def ready(self) -> bool:
        """Whether every worker has read its task."""
        return all(hand.state != "starting" for hand in self._workers)

    @property
    def settled(self) -> bool:
        """Whether every worker's connections have been secured or have failed."""
        return all(hand.state in ("settled", "over") for hand in self._workers)

    @property
    def over(self) -> bool:
        """Whether every connection has ended."""
        return all(hand.state == "over" for hand in self._workers)

    def counters(self) -> LoadCounters:
        """Return the figures of all workers together."""
        return LoadCounters.total(hand.counters for hand in self._workers)

    def peers(self) -> list[str]:
        """Return the addresses that the server knows the connections by."""
        return [peer for hand in self._workers for peer in hand.peers]


def environment() -> dict[str, str]:
    """Return an environment in which a child process finds this very package."""
    package = str(Path(tlsdemo.__file__).parent.parent)
    paths = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
