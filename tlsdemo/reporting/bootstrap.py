"""PURE.  Ratios with bootstrap intervals, of figures from repeated runs.

What is resampled are the runs, as they vary more than what is measured within one.  Runs that
alternate between two servers form pairs, which are resampled as such: what slows both down cancels
out.  Otherwise the runs of each side are resampled by themselves.  The ratio is that of the
geometric means.

A bootstrap of few runs is too narrow: it takes the spread of the runs for that of the machine, and
has no tails beyond them.  So it says how the interval lies about the ratio, with its 2.5th and
97.5th percentile, and these distances are widened by Student's quantile over the normal one, and by
sqrt(n / (n - 1)), as the spread of a sample is too small by that (Hesterberg, What Teachers Should
Know About the Bootstrap, 2015).
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from statistics import NormalDist

from tlsdemo.reporting.confidence import CONFIDENCE, Ratio, student

RESAMPLES = 2000
"""Resamples of one interval: its ends then vary by some hundredths of its width."""

_TAIL = (1 - CONFIDENCE) / 2


def paired_ratio(
    pairs: Sequence[tuple[float, float]], confidence: float = CONFIDENCE, seed: int = 0
) -> Ratio:
    """Return the ratio of the second to the first of each of ``pairs``, all above 0."""
    logarithms = [math.log(second / first) for first, second in pairs]
    return _interval([logarithms], [1.0], confidence, seed)


def unpaired_ratio(
    first: Sequence[float], second: Sequence[float], confidence: float = CONFIDENCE, seed: int = 0
) -> Ratio:
    """Return the ratio of ``second`` to ``first``, all above 0, whose runs belong to no pairs."""
    sides = [[math.log(each) for each in second], [math.log(each) for each in first]]
    return _interval(sides, [1.0, -1.0], confidence, seed)


def _interval(
    groups: Sequence[Sequence[float]], signs: Sequence[float], confidence: float, seed: int
) -> Ratio:
    """Return the interval of the sum of the groups' means, each with its sign."""
    means = [statistics.fmean(group) for group in groups]
    value = sum(sign * mean for sign, mean in zip(signs, means, strict=True))
    rounds = min(map(len, groups))
    if rounds < 2:
        return Ratio(math.exp(value), None, None, rounds)
    generator = random.Random(seed)
    factors = [
        sign * math.sqrt(len(group) / (len(group) - 1))
        for sign, group in zip(signs, groups, strict=True)
    ]
    resampled = sorted(
        sum(
            factor * (sum(generator.choices(group, k=len(group))) / len(group) - mean)
            for factor, group, mean in zip(factors, groups, means, strict=True)
        )
        for _ in range(RESAMPLES)
    )
    wider = student(_freedom(groups), confidence) / NormalDist().inv_cdf(1 - _TAIL)
    low = value + wider * resampled[int(_TAIL * RESAMPLES)]
    high = value + wider * resampled[-1 - int(_TAIL * RESAMPLES)]
    return Ratio(math.exp(value), math.exp(low), math.exp(high), rounds)


def _freedom(groups: Sequence[Sequence[float]]) -> int:
    """Return the degrees of freedom of the mean, or of the difference of two (Welch, 1947)."""
    variances = [statistics.variance(group) / len(group) for group in groups]
    terms = sum(each**2 / (len(group) - 1) for each, group in zip(variances, groups, strict=True))
    if not terms:
        return sum(len(group) - 1 for group in groups)
    return max(1, int(sum(variances) ** 2 / terms))
