"""The figures of a server of several worker processes, as these have told them last.

What a worker has told stays counted when it has ended, so no counter goes backwards when it is
replaced.  What it had counted since then is lost with it, unless it ended in order: then its last
words have all.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tlsdemo.metrics.figures import LAGS, Figures
from tlsdemo.metrics.histogram import Histogram
from tlsdemo.metrics.reading import Reading
from tlsdemo.metrics.server_figures import STATES, ServerKind
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.worker_process import WorkerProcess
from tlsdemo.proxy.workers import Workers
from tlsdemo.reporting.snapshot import Snapshot

FIGURES = "figures"
"""The name of a worker's figures in its answers and in its last words."""


class WorkersFigures:
    """The figures of all ``workers``.

    Attributes:
        kind: What the server is.
        replaced: How many have ended, by index from 0; each of them is replaced, or was to end.
    """

    def __init__(self, workers: Workers, settings: ServerSettings) -> None:
        self._workers = workers
        self.kind = ServerKind.of(settings)
        self._latest: dict[int, Figures] = {}
        self._lags: dict[int, float] = {}
        self._gone = {index: Figures() for index in range(workers.count)}
        self._cpu_gone = [0.0] * workers.count
        self._serving: set[int] = set()
        self._told_at = workers.total().at
        self.replaced = [0] * workers.count
        workers.on_end(self._ended)

    # What the workers tell.

    def told(self, index: int, answer: Mapping[str, Any]) -> None:
        """Take the answer of a worker: it serves."""
        self._latest[index] = Figures.from_json(answer[FIGURES])
        # Not that of its snapshot, which may be the answer to another question.
        self._lags[index] = float(answer["statistics"]["lag"])
        self._serving.add(index)
        self._told_at = self._workers.total().at

    def silent(self, index: int) -> None:
        """Note that a worker has not answered in time; its last figures stay."""
        self._serving.discard(index)

    def _ended(self, index: int, worker: WorkerProcess) -> None:
        last = self._latest.pop(index, None)
        self._lags.pop(index, None)
        if worker.final is not None and FIGURES in worker.final:
            # If it is of a version that was installed later, its buckets may be others.
            with suppress(AttributeError, KeyError, TypeError, ValueError):
                last = Figures.from_json(worker.final[FIGURES])
        if last is not None:
            # It has no open connections any more.
            self._gone[index] = Figures.total([self._gone[index], last.without_states()])
        self._cpu_gone[index] += worker.snapshot.cpu
        self._serving.discard(index)
        self.replaced[index] += 1

    # What that amounts to.

    def not_ready(self) -> str:
        """Return why the server does not accept all connections; empty if it does.

        All workers have to serve: a connection waits in the backlog of its worker's socket, and so
        without an answer, until that worker has been replaced.
        """
        if not self._workers.running:
            return "draining"
        if self.serving < self._workers.count:
            return f"{self.serving} of {self._workers.count} workers serve"
        return ""

    @property
    def serving(self) -> int:
        """How many workers have answered when they were asked last."""
        return len(self._serving)

    def is_serving(self, index: int) -> bool:
        """Tell whether a worker has answered when it was asked last."""
        return index in self._serving

    def snapshot(self) -> Snapshot:
        """Return the sum of the counters, with the greatest lag."""
        return self._workers.total(max(self._lags.values(), default=0.0))

    def figures(self) -> Figures:
        """Return the sum of what is measured beside the counters; all states are there."""
        none = Figures(dict.fromkeys(STATES.values(), 0))
        return Figures.total([none, *self._gone.values(), *self._latest.values()])

    def lags(self) -> Mapping[str, Histogram]:
        """Return the histogram of the lag of each worker, by its number from 1."""
        return {
            str(index + 1): Histogram.total(
                LAGS, [gone.lag, self._latest.get(index, Figures()).lag]
            )
            for index, gone in self._gone.items()
        }

    def cpu(self, index: int) -> float:
        """Return the CPU seconds of a worker, with those of the ones that it has replaced."""
        worker = self._workers.processes.get(index)
        return self._cpu_gone[index] + (worker.snapshot.cpu if worker else 0.0)

    def pids(self) -> Mapping[int, int]:
        """Return the process IDs of the workers that run, by their index."""
        return {index: each.pid for index, each in self._workers.processes.items()}

    def reading(self) -> Reading:
        """Return the figures for the live page, as of when a worker told some last."""
        figures, now = self.figures(), replace(self.snapshot(), at=self._told_at)
        return Reading(now, dict(figures.states), list(figures.handshakes.counts))

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return self._workers.listening()
