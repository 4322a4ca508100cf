"""PURE.  How differences are told: what several cells have in common, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from tlsdemo.reporting.event_differences import EventDifference, cells_by_name, names

_MOST_CELLS = 6
"""Cells that are named of those in which the same differs; of more, only how many."""

_THEN = " → "


def event_lines(
    differences: Iterable[EventDifference], here: Mapping[str, Any], there: Mapping[str, Any]
) -> Iterator[str]:
    """Return lines that show each lifeline that differs, here and there, and in which cells.

    ``differences`` are those of the matrices ``here`` and ``there``.
    """
    ours, theirs = cells_by_name(here), cells_by_name(there)
    alike: dict[tuple[str, str, str], list[str]] = {}
    for cell, lifeline in dict.fromkeys((each.cell, each.lifeline) for each in differences):
        shown = (lifeline, _shown(ours, cell, lifeline), _shown(theirs, cell, lifeline))
        alike.setdefault(shown, []).append(cell)
    for (lifeline, one, other), cells in alike.items():
        yield f"{_named(cells)}:"
        yield f"  {lifeline or 'the cell'}, here:  {one}"
        yield f"  {lifeline or 'the cell'}, there: {other}"


def _shown(cells: Mapping[str, Mapping[str, Any]], cell: str, lifeline: str) -> str:
    if cell not in cells:
        return "none"
    if not lifeline:
        return "seen"
    runs = ((name, len(list(same))) for name, same in groupby(names(cells[cell].get(lifeline))))
    words = [name if number == 1 else f"{name} ({number} times)" for name, number in runs]
    return _THEN.join(words) or "nothing"


def _named(cells: Sequence[str]) -> str:
    some = "; ".join(cells[:_MOST_CELLS])
    left = len(cells) - _MOST_CELLS
    return f"{some}; and {left} more" if left > 0 else some


def versions_line(versions: Mapping[str, str]) -> str:
    """Return the versions of one side, in a line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
