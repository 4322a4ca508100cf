"""The course of a load: what its workers report, interval by interval."""

from __future__ import annotations

from collections.abc import Callable

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.worker_pool import WorkerPool
from tlsdemo.reporting.interval import Interval, distributions
from tlsdemo.reporting.load_counters import LoadCounters

INTERVAL = 1.0
"""Seconds of an interval: it ends with the first report after each full second."""

MOST_INTERVALS = 10_000
"""How many are kept for the result, nearly three hours; each takes about 2 KB."""

MOST_WITH_HISTOGRAMS = 3_600
"""How many a shard keeps, an hour; each takes about 5 KB."""

SHORTEST = 0.05
"""Seconds below which what is reported counts to the next interval, as it would have no rate."""


class Course:
    """Cuts what ``pool`` reports into intervals; ``on_interval`` is called with each.

    ``elapsed`` returns the seconds since the load began to connect.  ``histograms``: whether they
    are kept, so that the intervals of several shards can be added up.
    """

    def __init__(
        self,
        pool: WorkerPool,
        elapsed: Callable[[], float],
        on_interval: Callable[[Interval], object],
        histograms: bool = False,
    ) -> None:
        self._pool = pool
        self._elapsed = elapsed
        self._on_interval = on_interval
        self._histograms = histograms
        self._phase: str | None = None
        self._window = Window(number=0)
        self._counters = LoadCounters()
        self._ended, self._due = 0.0, INTERVAL
        self.kept: list[Interval] = []

    def enter(self, phase: str | None) -> None:
        """End the interval and the phase; there are no intervals in phase ``None``."""
        self.cut()
        self._phase, self._window = phase, Window(number=0)

    def begin(self, window: Window) -> None:
        """End the interval, and begin a window."""
        self.cut()
        self._window = window

    def advance(self) -> None:
        """End the interval if it is long enough."""
        if self._phase is not None and self._elapsed() >= self._due:
            self.cut()

    def cut(self) -> None:
        """End the interval."""
        at = self._elapsed()
        if self._phase is None or at - self._ended < SHORTEST:
            return
        counters = self._pool.counters()
        latencies, workers = self._pool.take_interval()
        interval = Interval(
            at=at,
            seconds=at - self._ended,
            phase=self._phase,
            window=self._window.number,
            rate=self._window.rate,
            counters=counters.since(self._counters),
            outstanding=self._pool.outstanding,
            latencies=distributions(latencies),
            workers=workers,
            histograms=latencies.as_json() if self._histograms else {},
        )
        self._counters, self._ended = counters, at
        # So those of several shards do not drift apart.
        self._due = INTERVAL * (1 + at // INTERVAL)
        if len(self.kept) < (MOST_WITH_HISTOGRAMS if self._histograms else MOST_INTERVALS):
            self.kept.append(interval)
        self._on_interval(interval)
