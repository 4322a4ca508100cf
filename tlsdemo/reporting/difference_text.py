"""PURE.  Differences as text, with those that several cells have in common shown once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from tlsdemo.reporting.event_differences import EventDifference, cells_by_name, names
from tlsdemo.reporting.event_matrix import THEN, merge_repeated
from tlsdemo.reporting.run_text import versions_text

WIRE = "wire"

_MOST_CELLS = 6
"""How many cells with the same difference are named; of the others only the number is shown."""


def event_lines(
    differences: Iterable[EventDifference],
    baseline: Mapping[str, Any],
    candidate: Mapping[str, Any],
    sides: tuple[str, str] = ("here", "there"),
    details: bool = False,
) -> Iterator[str]:
    """Return lines with each lifeline that differs, on both sides, and the cells that have it.

    ``differences`` are those between the matrices ``baseline`` and ``candidate``, which ``sides``
    names.  Without ``details``, the events before the first that differs are left out, and so are
    the records of a connection whose events at an end differ.
    """
    found = list(differences)
    ends = {each.cell for each in found if each.lifeline != WIRE}
    if not details:
        found = [each for each in found if each.lifeline != WIRE or each.cell not in ends]
    width = max(map(len, sides)) + 1
    old_cells, new_cells = cells_by_name(baseline), cells_by_name(candidate)
    cells_of: dict[tuple[str, str, str], list[str]] = {}
    for cell, lifeline in dict.fromkeys((each.cell, each.lifeline) for each in found):
        key = (
            lifeline,
            *_sequences(old_cells, new_cells, cell, lifeline, details),
        )
        cells_of.setdefault(key, []).append(cell)
    for (lifeline, old, new), cells in cells_of.items():
        yield f"{_cell_names(cells)}:"
        for side, text in zip(sides, (old, new), strict=True):
            yield f"  {lifeline or 'cell'}, {side + ':':{width}} {text}"


def _sequences(
    old: Mapping[str, Mapping[str, Any]],
    new: Mapping[str, Mapping[str, Any]],
    cell: str,
    lifeline: str,
    details: bool,
) -> tuple[str, str]:
    if not lifeline:
        first, second = ("present" if cell in cells else "absent" for cells in (old, new))
        return first, second
    events = [merge_repeated(names(cells[cell].get(lifeline))) for cells in (old, new)]
    # The last event that both have is left as the place where they part.
    pairs = zip(*events, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    alike = 0 if details else max(0, same - 1)
    before = ["\N{HORIZONTAL ELLIPSIS}"] if alike else []
    first, second = (THEN.join([*before, *each[alike:]]) or "no events" for each in events)
    return first, second


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
