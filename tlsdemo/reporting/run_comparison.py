"""PURE.  Two sides of a comparison: the ratio of each figure, and whether it is only noise.

The intervals hold together: with so many figures, one or the other would lie outside an interval of
its own by chance.  So each has the confidence 1 - (1 - `TOGETHER`) / figures (Bonferroni).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tlsdemo.reporting.bootstrap import paired_ratio, unpaired_ratio
from tlsdemo.reporting.confidence import CONFIDENCE, Ratio
from tlsdemo.reporting.percentile_interval import percentile_interval
from tlsdemo.reporting.run_document import FEWEST_BEYOND, Side, histogram, sides

TOGETHER = 0.97
"""The confidence that all intervals of a comparison hold.

Sides that are alike shall be called different in at most 5 % of comparisons.  With 0.95, that were
4.2 % of 600 simulated ones, with so little margin that a few hundred often have more; with 0.97 it
were 2.8 % with 10 rounds, and 2.2 % with 5.
"""

BETTER = "better"
WORSE = "WORSE"
NOISE = "within the noise"
TOO_FEW = "too few runs, no verdict"

_ENOUGH = 5
"""Runs of each side from which intervals are not wide only because there are so few."""

_SAYS_NOTHING = 99.0
"""A change, as a bound, of which no more need be known: a hundred times as much."""

IN_JSON = {BETTER: "better", WORSE: "worse", NOISE: "noise", TOO_FEW: "unknown"}
"""The verdicts as the document of ``--json`` has them."""


FOR_A_P99 = f"a p99 takes {FEWEST_BEYOND * 100} values in every run; give a longer --duration"


@dataclass(frozen=True)
class FigureRatio:
    """One figure of both sides.

    Attributes:
        name: As in `MeasuredRun`.
        baseline: The geometric mean of the baseline's runs.
        candidate: That of the candidate's.
        ratio: The candidate's divided by the baseline's.
        sampling: The interval that the samples within one run each would have, if that is known
            and there are no more runs.
    """

    name: str
    baseline: float
    candidate: float
    ratio: Ratio
    sampling: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """Whether the figure is different, and for the better."""
        if self.ratio.low is None:
            return TOO_FEW
        if not self.ratio.differs:
            return NOISE
        more = self.ratio.value > 1
        return BETTER if more == is_rate(self.name) else WORSE

    @property
    def change(self) -> float:
        """The change from baseline to candidate: 0.05 for 5 % more."""
        return self.ratio.value - 1

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {**asdict(self), "change": self.change, "verdict": IN_JSON[self.verdict]}


def is_rate(name: str) -> bool:
    """Return whether more of a figure is better.

    >>> [is_rate(each) for each in ("handshakes/s", "100/s p99(handshake)", "server-cpu/MB")]
    [True, False, False]
    """
    return name.endswith("/s") or name == "greatest-rate"


@dataclass(frozen=True)
class RunComparison:
    """A candidate beside a baseline; ``paired``: whether their runs alternated."""

    baseline: Side
    candidate: Side

    @property
    def paired(self) -> bool:
        """Whether each run of one side has one of the other next to it in time."""
        return self.baseline.document == self.candidate.document

    @property
    def title(self) -> str:
        """What is compared, and how many runs of it."""
        one, other = self.baseline, self.candidate
        return f"{other.name} ({len(other.runs)} runs) beside {one.name} ({len(one.runs)} runs)"

    def _names(self) -> list[str]:
        first, *others = [*self.baseline.runs, *self.candidate.runs]
        return [
            name
            for name, value in first.figures.items()
            if value > 0 and all(run.figures.get(name, 0) > 0 for run in others)
        ]

    def figures(self) -> list[FigureRatio]:
        """Return the figures that every run of both sides has."""
        names = self._names()
        confidence = 1 - (1 - TOGETHER) / max(1, len(names))
        return [self._figure(name, confidence) for name in names]

    def _figure(self, name: str, confidence: float) -> FigureRatio:
        first, second = (
            [run.figures[name] for run in side.runs] for side in (self.baseline, self.candidate)
        )
        if self.paired:
            ratio = paired_ratio([*zip(first, second, strict=False)], confidence)
        else:
            ratio = unpaired_ratio(first, second, confidence)
        return FigureRatio(
            name,
            statistics.geometric_mean(first),
            statistics.geometric_mean(second),
            ratio,
            self._sampling(name) if len(first) == len(second) == 1 else None,
        )

    def _sampling(self, name: str) -> tuple[float, float] | None:
        bounds = []
        for side in (self.baseline, self.candidate):
            found = histogram(side.runs[0], name)
            # Both hold together with 95 %.
            interval = found and percentile_interval(*found, math.sqrt(CONFIDENCE))
            if not interval:
                return None
            bounds.append(interval)
        (first_low, first_high), (second_low, second_high) = bounds
        return second_low / first_high, second_high / first_low

    def as_json(self) -> dict[str, Any]:
        """Return the comparison for JSON."""
        return {
            **{
                which: {"name": side.name, "file": side.document, "runs": len(side.runs)}
                for which, side in (("baseline", self.baseline), ("candidate", self.candidate))
            },
            "paired": self.paired,
            "confidence": TOGETHER,
            "figures": [each.as_json() for each in self.figures()],
            "notes": [*self.notes()],
        }

    def notes(self) -> Iterator[str]:
        """Return what to know beside the figures."""
        for side in (self.baseline, self.candidate):
            for number, run in enumerate(side.runs, 1):
                if run.problem:
                    yield f"{side.name}, run {number}: {run.problem}"
        failed = [sum(run.failed for run in s.runs) for s in (self.baseline, self.candidate)]
        if any(failed):
            yield f"failed connections: {failed[0]:,} and {failed[1]:,}"
        names = self._names()
        if any(has_too_few_values(each.replace("p50(", "p99("), names) for each in names):
            yield FOR_A_P99
        rounds = min(len(self.baseline.runs), len(self.candidate.runs))
        if rounds < 2:
            yield "runs vary more than what is measured within one: give --repeat=5 or more"
        elif rounds < _ENOUGH:
            yield "so few runs have wide intervals: give --repeat=5 or more"
        if rounds > 1 and not self.paired:
            yield (
                "the runs did not alternate, so what changed on the machine meanwhile is in the "
                "ratios; give --versus"
            )


def has_too_few_values(name: str, names: Collection[str]) -> bool:
    """Return whether a figure is a p99 that is not among ``names``, while its p50 is."""
    return "p99(" in name and name not in names and name.replace("p99(", "p50(") in names


def comparisons(document: Mapping[str, Any]) -> list[RunComparison]:
    """Return how each server, or mode, that has runs in a document does beside the first one."""
    if not document["runs"]:
        return []
    baseline, *candidates = sides("", document)
    return [RunComparison(baseline, each) for each in candidates]


def number_text(name: str, value: float) -> str:
    """Return a figure with its unit.

    >>> number_text("p99(handshake)", 0.00123), number_text("handshakes/s", 1234.5)
    ('1.230 ms', '1,234.5')
    """
    if is_rate(name):
        return f"{value:,.1f}"
    return f"{value * 1000:,.3f} ms"


def _most(change: float) -> str:
    return f"{change:+.1%}" if change <= _SAYS_NOTHING else f"over {_SAYS_NOTHING:+,.0%}"


def change_text(figure: FigureRatio) -> str:
    """Return the ratio as a change in per cent, with its interval."""
    bounds = (figure.ratio.low, figure.ratio.high)
    text = f"{figure.change:+.1%}"
    if bounds[0] is not None and bounds[1] is not None:
        return f"{text} ({bounds[0] - 1:+.1%} to {_most(bounds[1] - 1)})"
    if figure.sampling is not None:
        low, high = figure.sampling
        return f"{text} (samples alone {low - 1:+.1%} to {high - 1:+.1%})"
    return text


def comparison_rows(comparison: RunComparison) -> list[Sequence[str]]:
    """Return for each figure its name, both values, the change and the verdict."""
    return [
        (
            each.name,
            number_text(each.name, each.baseline),
            number_text(each.name, each.candidate),
            change_text(each),
            each.verdict,
        )
        for each in comparison.figures()
    ]


def comparison_lines(comparison: RunComparison) -> Iterator[str]:
    """Return a comparison as lines: one for each figure, and the notes."""
    rows = comparison_rows(comparison)
    yield f"{comparison.title}:"
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for name, before, after, change, verdict in rows:
        yield (
            f"  {name:{widths[0]}}  {before:>{widths[1]}}  {after:>{widths[2]}}  "
            f"{change:{widths[3]}}  {verdict}"
        )
    if not rows:
        yield "  no figure was measured on both sides"
    for note in comparison.notes():
        yield f"  note: {note}"
