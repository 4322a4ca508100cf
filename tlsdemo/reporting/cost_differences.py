"""What the same load costs here and there: each figure of each mode, and its ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tlsdemo.reporting.confidence import Ratio, ratio
from tlsdemo.reporting.run_result import RunResult

_Read = Callable[[RunResult], float | None]


@dataclass(frozen=True)
class Figure:
    """A figure of a run: its name, and how it is written.

    ``read`` takes it from a run, ``None`` if it is not known there; ``pattern`` and ``factor``
    write it.  ``more`` and ``less`` say what a ratio above and below 1 means.
    """

    name: str
    read: _Read
    pattern: str
    factor: float = 1.0
    more: str = "more there"
    less: str = "fewer there"

    def written(self, value: float | None) -> str:
        """Write a value of this figure."""
        return "—" if value is None else format(value * self.factor, self.pattern)


def _served(name: str) -> _Read:
    return lambda run: None if run.served is None else float(getattr(run.served, name))


_COST = ("dearer there", "cheaper there")

FIGURES: Sequence[Figure] = (
    Figure("CPU per MB, ms", lambda run: run.cpu_per_megabyte, ",.1f", 1000, *_COST),
    Figure("CPU per connection, ms", lambda run: run.cpu_per_connection, ",.2f", 1000,
           *_COST),
    Figure("MB/s", lambda run: run.rate, ",.2f", 1.0, "faster there", "slower there"),
    Figure("bytes per event", _served("bytes_per_event"), ",.1f"),
    Figure("records per event", _served("records_per_event"), ",.1f"),
)  # fmt: skip
"""What is compared, in the order in which it is shown; the CPU is the server's."""


@dataclass(frozen=True)
class Difference:
    """One figure of one mode: its means here and there, and the ratio of there to here."""

    mode: str
    figure: Figure
    here: float | None
    there: float | None
    ratio: Ratio | None

    @property
    def wording(self) -> str:
        """The ratio in words."""
        if self.ratio is None:
            return "not known"
        return self.ratio.wording(self.figure.more, self.figure.less)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry, in seconds where it is time."""
        return {
            "mode": self.mode,
            "figure": self.figure.name.removesuffix(", ms"),
            "here": self.here,
            "there": self.there,
            "ratio": self.ratio and self.ratio.as_json(),
            "text": self.wording,
        }


def differences(
    here: Mapping[str, Sequence[RunResult]], there: Mapping[str, Sequence[RunResult]]
) -> Iterator[Difference]:
    """Compare the runs of each mode; those of one round have the same index on both sides.

    A round that has come to its end on one side only is left out.
    """
    for mode, runs in here.items():
        pairs = list(zip(runs, there.get(mode, ()), strict=False))
        for figure in FIGURES:
            values = [(figure.read(one), figure.read(other)) for one, other in pairs]
            yield Difference(
                mode,
                figure,
                _mean(one for one, _ in values),
                _mean(other for _, other in values),
                ratio(values),
            )


def _mean(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
