"""How much dearer something is there than here, and how sure that is.

Costs on one machine drift: it grows warm, others work on it.  So the runs are interleaved, each
run there has one here beside it in time, and of every such pair only the ratio counts: what slows
both down cancels out.

Ratios multiply, so their logarithms are averaged, which gives the geometric mean: twice as dear
once and half as dear once is no difference.  The interval is Student's for the mean of these
logarithms.  It takes the rounds to be independent of each other and their logarithms to be about
normally distributed; with as few rounds as one has patience for, a bootstrap would only look as
if it assumed less, and gives intervals that are too narrow.

Of twenty intervals of 95 %, one misses the truth: whoever compares many figures will see a
difference where there is none.  It is worth a second look, with more rounds.
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
    """What is there, divided by what is here.

    ``low`` and ``high`` enclose it with a confidence of 95 %; both are ``None`` after a single
    round, which tells nothing of how much rounds differ.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int

    @property
    def differs(self) -> bool:
        """Whether there is a difference that chance does not explain."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high

    def wording(self, more: str = "dearer there", less: str = "cheaper there") -> str:
        """Write it with its interval and what that means; ``more`` is a ratio above 1."""
        if self.low is None or self.high is None:
            return f"{self.value:.2f}: one round, so nobody knows how sure"
        digits = self._digits()
        verdict = "no difference to be seen"
        if self.differs:
            verdict = more if self.value > 1 else less
        low, high = format(self.low, f".{digits}f"), format(self.high, f".{digits}f")
        return f"{self.value:.{digits}f} ({low} to {high}): {verdict}"

    def _digits(self) -> int:
        """Return how many decimals show on which side of 1 a narrow interval is."""
        near = [abs(edge - 1) for edge in (self.low, self.high) if edge is not None]
        return 3 if self.differs and min(near) < 0.005 else 2

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return asdict(self)


def ratio(pairs: Iterable[tuple[float | None, float | None]]) -> Ratio | None:
    """Return the ratio of costs in ``pairs``, each what it cost here and there in one round.

    A round in which either is not known, or is not above 0, says nothing of the ratio and is left
    out; without any other the ratio is not known, ``None``.
    """
    logarithms = [
        math.log(there / here)
        for here, there in pairs
        if here is not None and there is not None and here > 0 and there > 0
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
    """Return how many standard errors on both sides hold ``confidence`` of Student's t.

    ``freedom``: degrees of freedom, a whole number from 1.
    """
    low, high = 0.0, 1.0
    while _held(high, freedom) < confidence:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _held(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _held(t: float, freedom: int) -> float:
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
