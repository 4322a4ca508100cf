"""The progress of a load: its phases and windows, from its counters, and its last interval."""

from __future__ import annotations

import math

from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.interval_text import interval_table, rate_texts
from tlsdemo.reporting.latencies import NAMES
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.snapshot import MEGABYTE

_LONG_ENOUGH = 0.5
"""Seconds of an interval that is shown."""


class LoadProgress:
    """Shows a load.

    ``connections`` are opened before it, perhaps none; ``others``: whether it opens more.
    ``packets`` are sent by each, 0 if their number is not known.  ``windows``: how many there are,
    ``None`` if only the search will tell.
    """

    def __init__(
        self,
        progress: Progress,
        connections: int,
        packets: int = 0,
        windows: int | None = 1,
        others: bool = False,
    ) -> None:
        self._progress = progress
        self._connections = connections
        self._packets = packets
        self._windows = windows
        self._others = others
        self._phase = ""
        self._began = 0.0
        self._sent_before = 0
        self._counters = LoadCounters()
        self._interval: Interval | None = None

    def show(self, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Show ``counters`` after ``elapsed`` seconds in ``phase``, a value of `LoadPhase`."""
        self._counters = counters
        if phase != self._phase:
            self._phase, self._began, self._sent_before = phase, elapsed, counters.sent
            self._begin(phase)
        done = {
            "connecting": counters.secured + counters.failures,
            "sending": counters.packets,
            "draining": counters.ended,
        }.get(phase)
        if done is not None:
            self._progress.update(done, *self._facts(counters, elapsed))

    def window(self, number: int, rate: float, seconds: float) -> None:
        """Show that a window begins; ``seconds`` is infinite if its work ends it."""
        label = "sending"
        if self._windows is None:
            label = f"try {number}, {rate:,.6g}/s"
        elif self._windows > 1:
            label = f"step {number} of {self._windows}, {rate:,.6g}/s"
        if math.isfinite(seconds):
            self._progress.begin(label, seconds=seconds)
        elif self._packets:
            self._progress.begin(label, self._packets * self._counters.secured, "packets")
        else:
            self._progress.begin(label)

    def interval(self, interval: Interval) -> None:
        """Show what was measured in the last interval, unless it is the short end of a window."""
        if interval.seconds < _LONG_ENOUGH:
            return
        self._interval = interval
        if self._progress.lives:
            self._progress.below = interval_table(interval, self._counters.failed)

    def _begin(self, phase: str) -> None:
        if phase == "connecting" and self._connections:
            self._progress.begin("securing", self._connections, "connections")
        elif phase == "draining" and self._connections and not self._others:
            self._progress.begin("closing", self._connections, "connections")
        elif phase == "draining":
            self._progress.begin("closing")
        elif phase == "over":
            self._progress.below = None
            self._progress.clear()
        elif phase == "starting":
            self._progress.begin("starting the clients")

    def _facts(self, counters: LoadCounters, elapsed: float) -> list[str]:
        facts = [f"{counters.failures:,} failed"] if counters.failures else []
        if self._phase != "sending":
            return facts
        if self._interval is not None:
            if self._progress.lives:
                # More stands under the line.
                return facts
            facts += rate_texts(self._interval)[:-1]
            facts += [
                f"{name} p99 {self._interval.latencies[name].p99 * 1000:,.2f} ms"
                for name in NAMES
                if name in self._interval.latencies
            ][-1:]
        took = elapsed - self._began
        rate = (counters.sent - self._sent_before) / MEGABYTE / took if took > 0 else 0.0
        return [*facts, f"{rate:,.1f} MB/s", f"{counters.sent / MEGABYTE:,.1f} MB"]
