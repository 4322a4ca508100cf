"""The order of the runs when several environments are measured on a machine that drifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_M = TypeVar("_M")


@dataclass(frozen=True)
class ScheduledRun(Generic[_M]):
    """One run: its round, counted from 1, the name of its environment, and its mode."""

    round: int
    environment: str
    mode: _M


def interleaved_runs(
    modes: Sequence[_M], environments: Sequence[str], rounds: int
) -> Iterator[ScheduledRun[_M]]:
    """Return the runs in order: in each round, every mode runs in every environment.

    The runs of one mode are adjacent, because they are what is compared.  Every second round goes
    through the environments backwards (baseline, candidate, candidate, baseline), so that a
    steady drift favours none of them.  In one environment the modes are compared, and take turns
    likewise.
    """
    for number in range(1, rounds + 1):
        turn = slice(None, None, 1 if number % 2 else -1)
        for mode in modes[turn] if len(environments) == 1 else modes:
            for environment in environments[turn]:
                yield ScheduledRun(number, environment, mode)
