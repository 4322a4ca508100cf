"""PURE.  What happened in each second or so of a load: its course, for files and for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tlsdemo.reporting.latencies import NAMES, Latencies, Percentiles
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WorkerLoad


@dataclass(frozen=True)
class Interval:
    """What the workers have reported in one interval.

    They report four times a second, so a value may be in the interval after its own.  An interval
    ends with its window and its phase, and may be short.

    Attributes:
        at: Seconds from when connecting began to the end of the interval.
        seconds: Its length.
        phase: A value of `LoadPhase`.
        window: The number of the window; 0 before the load.
        rate: Units of work that were due per second; 0 in a closed loop.
        counters: What was counted in it.
        outstanding: Units of work that had been begun, and were not done at its end.
        latencies: The distributions, by name, of what was done in it.
        workers: How busy each worker was.
        histograms: The latencies as `Latencies.as_json` returns them, if several shards are to be
            added up.
    """

    at: float
    seconds: float
    phase: str
    window: int
    rate: float
    counters: LoadCounters
    outstanding: int = 0
    latencies: Mapping[str, Percentiles] = field(default_factory=dict)
    workers: tuple[WorkerLoad, ...] = ()
    histograms: Mapping[str, str] = field(default_factory=dict)

    def per_second(self, count: float) -> float:
        """Return how many that is in a second of this interval."""
        return count / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the measurements for JSON; latencies are in seconds."""
        return {
            **{name: getattr(self, name) for name in ("at", "seconds", "phase", "window")},
            "rate": self.rate or None,
            "outstanding": self.outstanding,
            **{name: getattr(self.counters, name) for name in COUNTED},
            "failed": dict(self.counters.failed),
            "latencies": {name: each.as_json() for name, each in self.latencies.items()},
            "workers": [asdict(each) for each in self.workers],
            **({"histograms": dict(self.histograms)} if self.histograms else {}),
        }


def distributions(latencies: Latencies) -> dict[str, Percentiles]:
    """Return the distribution of each latency that has values, by name."""
    found = {name: latencies.percentiles(name) for name in NAMES}
    return {name: each for name, each in found.items() if each is not None}


COUNTED = ("begun", "secured", "clean", "answered", "packets", "sent", "received", "missed")
"""The counters of an interval, as they are called in CSV and JSON."""

_FIGURES: Mapping[str, Callable[[Percentiles], float]] = {
    "count": lambda found: found.count,
    "mean_ms": lambda found: found.mean * 1000,
    "p50_ms": lambda found: found.p50 * 1000,
    "p90_ms": lambda found: found.p90 * 1000,
    "p99_ms": lambda found: found.p99 * 1000,
    "max_ms": lambda found: found.max * 1000,
}

COLUMNS = (
    *("run", "at", "seconds", "phase", "window", "rate"),
    *COUNTED,
    *("failed", "outstanding", "worker_cpu", "worker_lag_ms"),
    *(f"{name.replace(' ', '_')}_{figure}" for name in NAMES for figure in _FIGURES),
)
"""The columns of `--csv`."""


def csv_row(run: int, interval: Interval) -> list[str]:
    """Return the values of an interval of a run, in the order of `COLUMNS`; empty if unknown."""
    lags = [each.lag for each in interval.workers if each.lag is not None]
    values: list[object] = [
        *(run, f"{interval.at:.3f}", f"{interval.seconds:.3f}", interval.phase, interval.window),
        f"{interval.rate:g}" if interval.rate else "",
        *(getattr(interval.counters, name) for name in COUNTED),
        *(interval.counters.failures, interval.outstanding),
        f"{max((each.cpu for each in interval.workers), default=0.0):.3f}",
        f"{max(lags) * 1000:.3f}" if lags else "",
    ]
    for name in NAMES:
        found = interval.latencies.get(name)
        values += ["" if found is None else f"{read(found):.6g}" for read in _FIGURES.values()]
    return [str(each) for each in values]


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV (RFC 4180, but with the line ends of UNIX)."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
