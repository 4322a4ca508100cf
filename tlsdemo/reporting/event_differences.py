"""What differs between two matrices of events, cell by cell.

A matrix is what ``tlsdemo events --format=json`` writes: ``{"versions": {…}, "cells": [{"mode",
"tls", "way", "peer", "race", "server": […], "client": […], "wire": […]}]}``.  A lifeline is a list
of names, or of objects that have a ``name``, in the order in which they happened.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LIFELINES = ("server", "client", "wire")

_IDENTITY = ("mode", "tls", "way", "peer")
_BEGINNING = "at the beginning"


class Kind(enum.Enum):
    """How two cells differ.  What is more there is less here, and the other way round."""

    MORE = "only there"
    LESS = "only here"
    ORDER = "in another order"
    CELL_MORE = "cell only there"
    CELL_LESS = "cell only here"


@dataclass(frozen=True)
class EventDifference:
    """One difference.

    ``cell`` is how the cell is called, as in ``starttls 1.3 ok twisted``; ``lifeline`` one of
    `LIFELINES`, empty if the whole cell is only on one side.  ``here`` and ``there`` hold all
    that happened, if the order is what differs; otherwise the event, and what came before it.
    """

    cell: str
    kind: Kind
    lifeline: str = ""
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.lifeline:
            return f"{self.cell}: {self.kind.value}"
        where = f"{self.cell}, {self.lifeline}"
        if self.kind is Kind.ORDER:
            here, there = ", ".join(self.here), ", ".join(self.there)
            return f"{where}: in another order: here {here}; there {there}"
        before, event = self.there if self.kind is Kind.MORE else self.here
        after = before if before == _BEGINNING else f"after {before}"
        return f"{where}: {self.kind.value}: {event} ({after})"

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return {
            "cell": self.cell,
            "kind": self.kind.value,
            "lifeline": self.lifeline or None,
            "text": str(self),
        }


def event_differences(
    here: Mapping[str, Any], there: Mapping[str, Any]
) -> Iterator[EventDifference]:
    """Tell what differs, in the order of the cells here, and then of those only there.

    In a cell that is a race on either side, another order is no difference.
    """
    cells_here, cells_there = cells_by_name(here), cells_by_name(there)
    for name, cell in cells_here.items():
        if name not in cells_there:
            yield EventDifference(name, Kind.CELL_LESS)
            continue
        other = cells_there[name]
        race = bool(cell.get("race") or other.get("race"))
        for lifeline in LIFELINES:
            ours, theirs = names(cell.get(lifeline)), names(other.get(lifeline))
            yield from _between(name, lifeline, ours, theirs, race)
    for name in cells_there:
        if name not in cells_here:
            yield EventDifference(name, Kind.CELL_MORE)


def cells_by_name(matrix: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the cells of a matrix, each by what it is called."""
    return {
        " ".join(str(cell[part]) for part in _IDENTITY if cell.get(part)): cell
        for cell in matrix["cells"]
    }


def names(lifeline: Sequence[Any] | None) -> list[str]:
    """Return the names on a lifeline, in their order."""
    return [each["name"] if isinstance(each, Mapping) else str(each) for each in lifeline or ()]


def _between(
    cell: str, lifeline: str, here: list[str], there: list[str], race: bool
) -> Iterator[EventDifference]:
    less, more = _beyond(here, there), _beyond(there, here)
    for pair in less:
        yield EventDifference(cell, Kind.LESS, lifeline, here=pair)
    for pair in more:
        yield EventDifference(cell, Kind.MORE, lifeline, there=pair)
    # An event that is on one side only is told above, and no reason to call the rest disordered.
    common = Counter(here) & Counter(there)
    ours, theirs = _first_of(here, common), _first_of(there, common)
    if ours != theirs and not race:
        yield EventDifference(cell, Kind.ORDER, lifeline, ours, theirs)


def _beyond(events: list[str], others: list[str]) -> list[tuple[str, str]]:
    """Return each event of which ``others`` have fewer, with what came before it."""
    left = Counter(others)
    found = []
    for before, event in zip([_BEGINNING, *events], events, strict=False):
        if left[event]:
            left[event] -= 1
        else:
            found.append((before, event))
    return found


def _first_of(events: list[str], common: Counter[str]) -> tuple[str, ...]:
    left = Counter(common)
    found = []
    for event in events:
        if left[event]:
            left[event] -= 1
            found.append(event)
    return tuple(found)
