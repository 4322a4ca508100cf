"""The ratio of a candidate's cost to the baseline's, with its confidence interval.

Costs on one machine drift, with its temperature and its other work.  Therefore the runs are
interleaved: each run of the candidate has a run of the baseline next to it in time, and only the
ratio within such a pair is used.  What slows both down cancels out.

The mean is the geometric mean, that of the logarithms of the ratios: twice the cost in one round
and half the cost in another is no difference.  The interval is Student's t interval for the mean of
these logarithms.  It assumes that the rounds are independent and that the logarithms are
approximately normally distributed.  With so few rounds a bootstrap would assume no less, and its
intervals would be too narrow.

One in twenty 95 % intervals does not contain the true value.  Among many metrics, some will
therefore appear to differ when they do not; repeat the comparison with more rounds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Ratio:
    """The candidate's value divided by the baseline's.

    ``low`` and ``high`` are the bounds of the 95 % confidence interval; both are ``None`` after a
    single round, which does not show how much rounds vary.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int

    @property
    def differs(self) -> bool:
        """Whether the interval excludes 1, that is, no difference."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high

    def text(self, above: str = "candidate costs more", below: str = "candidate costs less") -> str:
        """Return the ratio with its interval and a verdict.

        ``above`` and ``below`` are the verdicts for a ratio above and below 1.
        """
        if self.low is None or self.high is None:
            return f"{self.value:.2f}: only one round, no confidence interval"
        digits = self._digits()
        verdict = "no significant difference"
        if self.differs:
            verdict = above if self.value > 1 else below
        low, high = format(self.low, f".{digits}f"), format(self.high, f".{digits}f")
        return f"{self.value:.{digits}f} ({low} to {high}): {verdict}"

    def _digits(self) -> int:
        """Return the number of decimals; more if two would round a bound to 1."""
        distances = [abs(bound - 1) for bound in (self.low, self.high) if bound is not None]
        return 3 if self.differs and min(distances) < 0.005 else 2

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def ratio(pairs: Iterable[tuple[float | None, float | None]]) -> Ratio | None:
    """Return the ratio for ``pairs`` of baseline and candidate, one pair for each round.

    A round in which one of the two is unknown or not positive is left out.  The ratio is ``None``
    if no round remains.
    """
    logarithms = [
        math.log(candidate / baseline)
        for baseline, candidate in pairs
        if baseline is not None and candidate is not None and baseline > 0 and candidate > 0
    ]
    if not logarithms:
        return None
    rounds = len(logarithms)
    mean = statistics.fmean(logarithms)
    if rounds == 1:
        return Ratio(math.exp(mean), None, None, 1)
    error = statistics.stdev(logarithms) / math.sqrt(rounds)
    half = student(rounds - 1) * error
    return Ratio(math.exp(mean), math.exp(mean - half), math.exp(mean + half), rounds)


def student(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the two-sided quantile of Student's t distribution, in standard errors.

    ``freedom`` is the number of degrees of freedom, at least 1.
    """
    low, high = 0.0, 1.0
    while _share_within(high, freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _share_within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _share_within(t: float, freedom: int) -> float:
    """Return the share of Student's distribution within ``t`` standard errors of its mean.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    # Each term is the one before times cos² and the next of the fractions 1/2, 3/4 … or 2/3, 4/5 …
    term = sine * (cosine if odd else 1.0)
    total = 0.0
    for step in range(1, freedom // 2 + 1):
        total += term
        numerator = 2 * step - 1 + odd
        term *= cosine * cosine * numerator / (numerator + 1)
    return 2 / math.pi * (angle + total) if odd else total
