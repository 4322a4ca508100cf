"""Samples and their medians: plain data and arithmetic, without I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Environment = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """What one round has measured of one peer in one case.

    Attributes:
        measure: The name of the measure.
        case: The name of the case, such as ``200 of 32 B``.
        peer: The name of the peer.
        round: The number of the round, from 1.
        metrics: Numbers by name; the names end with their unit.
    """

    measure: str
    case: str
    peer: str
    round: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Problem:
    """Why there is nothing of one peer in one case.

    Attributes:
        fault: Whether something is wrong, and not merely missing.
    """

    measure: str
    case: str
    peer: str
    round: int
    text: str
    fault: bool


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and their extremes."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Return the spread of ``values``, None if there are none."""
        return cls(median(values), min(values), max(values)) if values else None


@dataclass
class Results:
    """Everything that a run has found.

    Attributes:
        environment: The machine and the versions.
        peers: What each peer is, by its name, in the order of the tables.
        cases: The cases of each measure, in the order of the tables.
        samples: What was measured.
        problems: Why something was not.
    """

    environment: Environment
    peers: dict[str, str] = field(default_factory=dict)
    cases: dict[str, list[str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def spread(self, measure: str, case: str, peer: str, metric: str) -> Spread | None:
        """Return the spread of a metric over all rounds; None if it was not measured."""
        return Spread.of([
            each.metrics[metric]
            for each in self.samples
            if (each.measure, each.case, each.peer) == (measure, case, peer)
            and metric in each.metrics
        ])  # fmt: skip

    def median(self, measure: str, case: str, peer: str, metric: str) -> float | None:
        """Return the median of a metric over all rounds; None if it was not measured."""
        found = self.spread(measure, case, peer, metric)
        return None if found is None else found.median

    def why_missing(self, measure: str, case: str, peer: str) -> str | None:
        """Return why a case was not measured; None if that is not known."""
        for each in self.problems:
            if (each.measure, each.case, each.peer) == (measure, case, peer):
                return each.text
        return None

    @property
    def faults(self) -> list[Problem]:
        """What went wrong, other than that something is not installed."""
        return [each for each in self.problems if each.fault]

    def as_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Return what `as_json` has written."""
        found = json.loads(text)
        return cls(
            found["environment"],
            found["peers"],
            found["cases"],
            [Sample(**each) for each in found["samples"]],
            [Problem(**each) for each in found["problems"]],
        )


def percentile(values: Iterable[float], part: float) -> float:
    """Return the smallest value that at least ``part`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there are no values")
    return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]
