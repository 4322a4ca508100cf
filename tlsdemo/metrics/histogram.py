"""PURE. Histograms: how many of the measured values were at most as great as each bound."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from tlsdemo.reporting.snapshot import counted


class Histogram:
    """Counts values by ``bounds``, which are the greatest values of each bucket, in order.

    ``count`` is the number of values, ``sum`` their sum.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        # The last one is for the values beyond all bounds.
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Count ``value``; one below 0, of a clock that was set back, counts as 0."""
        value = max(value, 0.0)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[tuple[str, int]]:
        """Return how many values were at most each bound, as Prometheus's buckets ``le``."""
        names = [*(str(float(bound)) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))

    @classmethod
    def total(cls, bounds: Sequence[float], several: Iterable[Histogram]) -> Histogram:
        """Return the histogram of the values of all of ``several``, which have these ``bounds``."""
        found = cls(bounds)
        for each in several:
            found.counts = [
                one + other for one, other in zip(found.counts, each.counts, strict=True)
            ]
            found.sum += each.sum
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the counts and the sum for JSON; the bounds are known to both sides."""
        return {"counts": list(self.counts), "sum": self.sum}

    @classmethod
    def from_json(cls, bounds: Sequence[float], values: Mapping[str, Any]) -> Histogram:
        """Read the result of :meth:`as_json`; raises ValueError if it has not these ``bounds``."""
        found = cls(bounds)
        counts = [counted(each) for each in values["counts"]]
        if len(counts) != len(found.counts):
            raise ValueError(f"{len(counts)} buckets, and not {len(found.counts)}")
        found.counts, found.sum = counts, counted(values["sum"])
        return found
