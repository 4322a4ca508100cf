"""PURE.  The differences between two event matrices, cell by cell.

A matrix is what ``tlsdemo events --format=json`` writes: ``{"versions": {…}, "cells": [{"mode",
"tls", "way", "peer", "race", "server": […], "client": […], "wire": […]}]}``.  A lifeline is a list
of labels, or of objects with a ``name``, in the order in which they happened.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tlsdemo.trace.observation import LIFELINES

_IDENTITY = ("mode", "tls", "way", "peer")
_START = "at the start"


class Kind(enum.Enum):
    """How the candidate differs from the baseline."""

    ADDED = "only in the candidate"
    REMOVED = "only in the baseline"
    ORDER = "in a different order"
    CELL_ADDED = "cell only in the candidate"
    CELL_REMOVED = "cell only in the baseline"


@dataclass(frozen=True)
class EventDifference:
    """One difference.

    ``cell`` is the name of the cell, such as ``starttls 1.3 ok tlsdemo``; ``lifeline`` is one of
    `LIFELINES`, or empty if one side does not have the cell.  If the order differs, ``baseline``
    and ``candidate`` are the common events in the order of each side.  Otherwise one of them is the
    preceding event and the event that only that side has.
    """

    cell: str
    kind: Kind
    lifeline: str = ""
    baseline: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.lifeline:
            return f"{self.cell}: {self.kind.value}"
        where = f"{self.cell}, {self.lifeline}: {self.kind.value}"
        if self.kind is Kind.ORDER:
            baseline, candidate = ", ".join(self.baseline), ", ".join(self.candidate)
            return f"{where}: baseline {baseline}; candidate {candidate}"
        before, event = self.candidate if self.kind is Kind.ADDED else self.baseline
        return f"{where}: {event} ({before if before == _START else f'after {before}'})"


def event_differences(
    baseline: Mapping[str, Any], candidate: Mapping[str, Any]
) -> Iterator[EventDifference]:
    """Find the differences: first in the baseline's cells, then the candidate's other cells.

    A different order is no difference in a cell that is a race on either side.
    """
    old_cells, new_cells = cells_by_name(baseline), cells_by_name(candidate)
    for name, old in old_cells.items():
        if name not in new_cells:
            yield EventDifference(name, Kind.CELL_REMOVED)
            continue
        new = new_cells[name]
        race = bool(old.get("race") or new.get("race"))
        for lifeline in LIFELINES:
            sequences = names(old.get(lifeline)), names(new.get(lifeline))
            yield from _between(name, lifeline, *sequences, race)
    for name in new_cells:
        if name not in old_cells:
            yield EventDifference(name, Kind.CELL_ADDED)


def cells_by_name(matrix: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the cells of a matrix by their names."""
    return {
        " ".join(str(cell[part]) for part in _IDENTITY if cell.get(part)): cell
        for cell in matrix["cells"]
    }


def names(lifeline: Sequence[Any] | None) -> list[str]:
    """Return the names of the events on a lifeline, in order.

    Raises TypeError or KeyError if it is something else.
    """
    if not isinstance(lifeline, list | tuple | None):
        raise TypeError("a lifeline that is no list")
    return [str(each["name"] if isinstance(each, Mapping) else each) for each in lifeline or ()]


def _between(
    cell: str, lifeline: str, baseline: list[str], candidate: list[str], race: bool
) -> Iterator[EventDifference]:
    for pair in _surplus(baseline, candidate):
        yield EventDifference(cell, Kind.REMOVED, lifeline, baseline=pair)
    for pair in _surplus(candidate, baseline):
        yield EventDifference(cell, Kind.ADDED, lifeline, candidate=pair)
    # An added or removed event does not make the order of the others different.
    common = Counter(baseline) & Counter(candidate)
    old, new = _only(baseline, common), _only(candidate, common)
    if old != new and not race:
        yield EventDifference(cell, Kind.ORDER, lifeline, old, new)


def _surplus(events: list[str], others: list[str]) -> list[tuple[str, str]]:
    """Return each event that ``others`` do not have as often, with the event before it."""
    left = Counter(others)
    found = []
    for before, event in zip([_START, *events], events, strict=False):
        if left[event]:
            left[event] -= 1
        else:
            found.append((before, event))
    return found


def _only(events: list[str], common: Counter[str]) -> tuple[str, ...]:
    """Return the events without those that exceed their number in ``common``."""
    left = Counter(common)
    found = []
    for event in events:
        if left[event]:
            left[event] -= 1
            found.append(event)
    return tuple(found)
