"""PURE.  How differences are told: what many cells have in common, once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tlsdemo.against.events import EventDifference

_MOST_CELLS = 6
"""Cells that are named of those in which the same differs; of more, only how many."""


def event_lines(differences: Iterable[EventDifference]) -> Iterator[str]:
    """Return a line for each thing that differs, with the cells in which it does."""
    cells: dict[str, list[str]] = {}
    for each in differences:
        what = str(each).removeprefix(each.cell).lstrip(",: ")
        cells.setdefault(what, []).append(each.cell)
    for what, where in cells.items():
        yield f"{what}"
        yield f"    in {_named(where)}"


def _named(cells: Sequence[str]) -> str:
    some = "; ".join(cells[:_MOST_CELLS])
    left = len(cells) - _MOST_CELLS
    return f"{some}; and {left} more" if left > 0 else some


def versions_line(versions: Mapping[str, str]) -> str:
    """Return the versions of one side, in a line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())
