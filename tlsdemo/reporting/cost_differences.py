"""PURE.  The cost of a load with baseline and candidate: the metrics of each mode, with ratios."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tlsdemo.reporting.confidence import Ratio, ratio
from tlsdemo.reporting.run_result import RunResult

_Read = Callable[[RunResult], float | None]


@dataclass(frozen=True)
class Metric:
    """A metric of a run.

    ``read`` returns its value, ``None`` if it is unknown; ``pattern`` and ``factor`` format it.
    ``above`` and ``below`` are the verdicts for a ratio above and below 1.
    """

    name: str
    read: _Read
    pattern: str
    factor: float = 1.0
    above: str = "candidate has more"
    below: str = "candidate has fewer"

    def format(self, value: float | None) -> str:
        """Return a value of this metric as text."""
        return "—" if value is None else format(value * self.factor, self.pattern)


def _server(name: str) -> _Read:
    return lambda run: None if run.server is None else float(getattr(run.server, name))


_COST = ("candidate costs more", "candidate costs less")
_SPEED = ("candidate is faster", "candidate is slower")

METRICS: Sequence[Metric] = (
    Metric("CPU per MB, ms", lambda run: run.cpu_per_megabyte, ",.1f", 1000, *_COST),
    Metric("CPU per connection, ms", lambda run: run.cpu_per_connection, ",.2f", 1000, *_COST),
    Metric("MB/s", lambda run: run.rate, ",.2f", 1.0, *_SPEED),
    Metric("bytes per event", _server("bytes_per_event"), ",.1f"),
    Metric("records per event", _server("records_per_event"), ",.1f"),
)
"""The metrics that are compared, in the order of the table; CPU is that of the server."""


@dataclass(frozen=True)
class Difference:
    """One metric of one mode: its means, and the ratio of candidate to baseline."""

    mode: str
    metric: Metric
    baseline: float | None
    candidate: float | None
    ratio: Ratio | None

    @property
    def text(self) -> str:
        """The ratio as text."""
        if self.ratio is None:
            return "unknown"
        return self.ratio.text(self.metric.above, self.metric.below)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON; durations are in seconds."""
        return {
            "mode": self.mode,
            "figure": self.metric.name.removesuffix(", ms"),
            "here": self.baseline,
            "there": self.candidate,
            "ratio": self.ratio and self.ratio.as_json(),
            "text": self.text,
        }


def differences(
    baseline: Mapping[str, Sequence[RunResult]], candidate: Mapping[str, Sequence[RunResult]]
) -> Iterator[Difference]:
    """Compare the runs of each mode; those of one round have the same index on both sides.

    A round that was completed on one side only is left out.
    """
    for mode, runs in baseline.items():
        pairs = list(zip(runs, candidate.get(mode, ()), strict=False))
        for metric in METRICS:
            values = [(metric.read(one), metric.read(other)) for one, other in pairs]
            yield Difference(
                mode,
                metric,
                _mean(one for one, _ in values),
                _mean(other for _, other in values),
                ratio(values),
            )


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
