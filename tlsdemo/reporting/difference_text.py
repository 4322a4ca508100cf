"""PURE.  Differences as text, with those that several cells have in common shown once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tlsdemo.reporting.event_differences import EventDifference, cells_by_name, names
from tlsdemo.reporting.event_matrix import THEN, merge_repeated
from tlsdemo.reporting.run_text import versions_text

_MOST_CELLS = 6
"""How many cells with the same difference are named; of the others only the number is shown."""


def event_lines(
    differences: Iterable[EventDifference],
    baseline: Mapping[str, Any],
    candidate: Mapping[str, Any],
) -> Iterator[str]:
    """Return lines with each lifeline that differs, on both sides, and the cells that have it.

    ``differences`` are those between the matrices ``baseline`` and ``candidate``.
    """
    old_cells, new_cells = cells_by_name(baseline), cells_by_name(candidate)
    cells_of: dict[tuple[str, str, str], list[str]] = {}
    for cell, lifeline in dict.fromkeys((each.cell, each.lifeline) for each in differences):
        key = (
            lifeline,
            _sequence(old_cells, cell, lifeline),
            _sequence(new_cells, cell, lifeline),
        )
        cells_of.setdefault(key, []).append(cell)
    for (lifeline, old, new), cells in cells_of.items():
        yield f"{_cell_names(cells)}:"
        yield f"  {lifeline or 'cell'}, baseline:  {old}"
        yield f"  {lifeline or 'cell'}, candidate: {new}"


def _sequence(cells: Mapping[str, Mapping[str, Any]], cell: str, lifeline: str) -> str:
    if cell not in cells:
        return "absent"
    if not lifeline:
        return "present"
    return THEN.join(merge_repeated(names(cells[cell].get(lifeline)))) or "no events"


def _cell_names(cells: Sequence[str]) -> str:
    some = "; ".join(cells[:_MOST_CELLS])
    left = len(cells) - _MOST_CELLS
    return f"{some}; and {left} more" if left > 0 else some


def distinguishing_versions(versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Return a line with the versions of each side that the others do not have, and of all.

    ``versions``: those of each side, by its name.
    """
    sides = list(versions.values())
    common = {
        name: text
        for name, text in sides[0].items()
        if all(side.get(name) == text for side in sides)
    }
    everywhere = "both" if len(sides) == 2 else "all"
    width = max(map(len, (*versions, everywhere)))
    for title, side in versions.items():
        own = {name: text for name, text in side.items() if name not in common}
        if own:
            yield f"{title + ':':{width + 1}} {versions_text(own)}"
    if common:
        yield f"{everywhere + ':':{width + 1}} {versions_text(common)}"


def version_lines(baseline: Mapping[str, str], candidate: Mapping[str, str]) -> Iterator[str]:
    """Return a line with the versions of each side."""
    yield f"baseline: {versions_text(baseline)}"
    yield f"candidate: {versions_text(candidate)}"
