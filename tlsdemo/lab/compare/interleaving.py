"""Whose turn it is, when the same is measured in several places on a machine that drifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_M = TypeVar("_M")

HERE = "here"


@dataclass(frozen=True)
class Turn(Generic[_M]):
    """One run: in which round, counted from 1, where, and of which mode."""

    round: int
    place: str
    mode: _M


def turns(modes: Sequence[_M], places: Sequence[str], rounds: int) -> Iterator[Turn[_M]]:
    """Interleave the runs: in each round every mode has its turn in every place.

    The places take turns with a mode before the next mode has its own, so that what is compared
    is beside each other in time; and every second round goes through them backwards (here, there,
    there, here), so that a steady drift favours neither.
    """
    for number in range(1, rounds + 1):
        ordered = places if number % 2 else list(reversed(places))
        for mode in modes:
            for place in ordered:
                yield Turn(number, place, mode)
