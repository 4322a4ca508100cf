"""When work is due: the arithmetic of an open loop, in which the server's speed changes nothing.

Units of work are numbered; :func:`work_by` says how many are due after some time, and
:func:`due_time` is its inverse.  Several workers share one plan: each takes every so manieth unit
of constant arrivals, or has Poisson arrivals of its own, whose superposition is a Poisson process
with the sum of the rates.
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any


class Arrivals(enum.Enum):
    """How due times follow each other: evenly, or at random and independently of each other."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True)
class Window:
    """What every worker does until it is told otherwise; its latencies are reported together.

    Attributes:
        number: 0 while connections are opened before the load begins, then from 1.
        rate: Units of work that are due per second, of all workers; 0 for a closed loop, in which
            the next begins when one has ended.
        ramp: Seconds in which the rate grows from 0 to ``rate``.
        warm_up: Seconds, after the ramp, whose work is not measured.
        seconds: Seconds, after these, whose work is measured; no more work is due then.
        arrivals: The name of the :class:`Arrivals`.
        seed: Makes Poisson arrivals repeatable.
    """

    number: int = 1
    rate: float = 0.0
    ramp: float = 0.0
    warm_up: float = 0.0
    seconds: float = math.inf
    arrivals: str = Arrivals.CONSTANT.value
    seed: int = 0

    @property
    def unmeasured(self) -> float:
        """Seconds from the beginning until work is measured."""
        return self.ramp + self.warm_up

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @property
    def length(self) -> float:
        """Seconds from its beginning to its end."""
        return self.unmeasured + self.seconds


def due_time(work: float, rate: float, ramp: float) -> float:
    """Return when so much work is due, in seconds.

    >>> due_time(10, rate=5, ramp=0)
    2.0
    >>> due_time(10, rate=5, ramp=4)  # by the end of the ramp, half as much as without
    4.0
    """
    if work < rate * ramp / 2:
        return math.sqrt(2 * ramp * work / rate)
    return ramp / 2 + work / rate


def work_by(seconds: float, rate: float, ramp: float) -> float:
    """Return how much work is due after some time.

    >>> work_by(2.0, rate=5, ramp=0)
    10.0
    """
    if seconds < ramp:
        return rate * seconds * seconds / (2 * ramp)
    return rate * (seconds - ramp / 2)


def due_times(window: Window, index: int = 0, of: int = 1) -> Iterator[float]:
    """Return when each unit is due of worker ``index`` of ``of``, in seconds from the beginning."""
    for work in _units(window, index, of):
        due = due_time(work, window.rate, window.ramp)
        if due >= window.length:
            return
        yield due


def _units(window: Window, index: int, of: int) -> Iterator[float]:
    if Arrivals(window.arrivals) is Arrivals.CONSTANT:
        yield from count(index, of)
        return
    generator = random.Random(f"{window.seed} {window.number} {index}")
    work = 0.0
    while True:
        work += generator.expovariate(1 / of)
        yield work
