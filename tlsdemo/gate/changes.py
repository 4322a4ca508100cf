"""What has changed between two results, so far as an application can notice it.

A result is what `tlsdemo.gate.gate_run.Part` says for each part.  Records on the wire do not count:
an application sees only what follows from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tlsdemo.reporting.event_differences import cells_by_name, event_differences, names
from tlsdemo.reporting.finding_differences import finding_differences
from tlsdemo.reporting.finding_result import REPRODUCTION_FAILED

COST_TOLERANCE = 0.05
"""How much the bytes of a connection may vary: signatures have no fixed length."""

_MOST_CELLS = 2
"""How many connections with the same change are named; of the others only the number is told."""

_WIRE = "wire"
_SIZE = re.compile(r"\d+(?= B\b)")


@dataclass(frozen=True)
class Change:
    """Something that an application can notice.

    Attributes:
        part: The part of the gate that found it.
        what: The end that notices it, or the finding.
        baseline: What it was.
        candidate: What it is.
        cells: The connections in which it is so, by name; none for a finding.
        observed: What shows each side of a finding, in a line; it may be otherwise another time.
        problem: Why a finding has no verdict on one side.
    """

    part: str
    what: str
    baseline: str
    candidate: str
    cells: tuple[str, ...] = ()
    observed: tuple[str, str] = field(default=("", ""), compare=False)
    problem: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """What it is called in a file of accepted changes."""
        return f"{self.part}, {self.what}: {self.baseline} => {self.candidate}"

    @property
    def is_failure(self) -> bool:
        """Whether this is no change, but a reproduction that raised an exception."""
        return self.problem.startswith(REPRODUCTION_FAILED)

    def sentence(self) -> str:
        """Return it in one line."""
        more = len(self.cells) - _MOST_CELLS
        where = "; ".join(self.cells[:_MOST_CELLS]) + (f"; and {more} more" if more > 0 else "")
        place = f"{self.what}, in {where}" if where else self.what
        old, new = (f" ({text})" if text else "" for text in self.observed)
        return f"{place}: it was {self.baseline}{old}; it is {self.candidate}{new}"

    def is_called(self, key: str) -> bool:
        """Return whether ``key`` is this change's, or differs only by a few bytes in the costs."""
        if self.part != "costs":
            return key == self.key
        mine, others = (_SIZE.findall(text) for text in (self.key, key))
        return _SIZE.sub("", self.key) == _SIZE.sub("", key) and all(
            abs(int(other) - int(size)) <= COST_TOLERANCE * int(size)
            for size, other in zip(mine, others, strict=True)
        )


def event_changes(
    part: str, baseline: Mapping[str, Any], candidate: Mapping[str, Any]
) -> list[Change]:
    """Return the changes between two matrices of events; see `event_differences`."""
    old_cells, new_cells = cells_by_name(baseline), cells_by_name(candidate)
    grouped: dict[Change, list[str]] = {}
    differences = event_differences(baseline, candidate)
    differing = dict.fromkeys((each.cell, each.lifeline) for each in differences)
    for cell, lifeline in differing:
        if lifeline == _WIRE:
            continue
        if lifeline:
            sides = [names(cells[cell].get(lifeline)) for cells in (old_cells, new_cells)]
            old, new = _parting(*sides)
        else:
            old, new = ("there" if cell in cells else "missing" for cells in (old_cells, new_cells))
        grouped.setdefault(Change(part, lifeline or "connection", old, new), []).append(cell)
    return [replace(change, cells=tuple(cells)) for change, cells in grouped.items()]


def _parting(old: Sequence[str], new: Sequence[str]) -> tuple[str, str]:
    """Return the events from the last that both begin with to the first that both end with."""
    begin = 0
    while begin < min(len(old), len(new)) and old[begin] == new[begin]:
        begin += 1
    end = 0
    while end < min(len(old), len(new)) - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    begin, end = max(0, begin - 1), max(0, end - 1)
    return _joined(old, begin, end), _joined(new, begin, end)


def _joined(events: Sequence[str], begin: int, end: int) -> str:
    kept = list(events[begin : len(events) - end])
    parts = [*(["…"] if begin else []), *kept, *(["…"] if end else [])]
    return " → ".join(parts) or "no events"


def finding_changes(baseline: Mapping[str, Any], candidate: Mapping[str, Any]) -> list[Change]:
    """Return the findings whose verdicts differ, or that one side cannot tell, with the reason."""
    changes = []
    for each in finding_differences(baseline, candidate):
        sides = [text.partition(", ") for text in (each.baseline, each.candidate)]
        (old, _, saw), (new, _, sees) = sides
        reasons = _reason(baseline, each.name), _reason(candidate, each.name)
        observed = saw or reasons[0], sees or reasons[1]
        problem = reasons[0] or reasons[1]
        changes.append(Change("findings", each.name, old, new, (), observed, problem))
    return changes


def _reason(result: Mapping[str, Any], name: str) -> str:
    """Return why a finding has no verdict in a result, or an empty text if it has."""
    return next((str(each["reason"]) for each in result["findings"]
                 if each["name"] == name and each.get("reason")), "")  # fmt: skip


def cost_changes(baseline: Mapping[str, Any], candidate: Mapping[str, Any]) -> list[Change]:
    """Return the connections of the scenario ``ok`` whose bytes on the wire differ noticeably.

    That is a cost that is the same on every machine.  Times are not, and `tlsdemo run --against`
    compares those.
    """
    old, new = (dict(_bytes(matrix)) for matrix in (baseline, candidate))
    return [
        Change("costs", f"bytes that a {end} sends", f"{before} B", f"{new[cell, end]} B", (cell,))
        for (cell, end), before in old.items()
        if (cell, end) in new and abs(new[cell, end] - before) > COST_TOLERANCE * before
    ]


def _bytes(matrix: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], int]]:
    for name, cell in cells_by_name(matrix).items():
        if cell["way"] == "ok":
            records = [each for each in cell.get("trace", ()) if "record" in each]
            for end in dict.fromkeys(each["from"] for each in records):
                size = sum(each["length"] for each in records if each["from"] == end)
                yield (name, end), size


def confirmed(changes: Iterable[Change], again: Iterable[Change]) -> list[Change]:
    """Return the ``changes`` that were there ``again``, in the connections in which they were.

    What differed and differs still counts, even if it differs in another way: a race.
    """
    seen = {(each.what, cell) for each in again for cell in each.cells or ("",)}
    kept = []
    for change in changes:
        cells = tuple(cell for cell in change.cells or ("",) if (change.what, cell) in seen)
        if cells:
            kept.append(replace(change, cells=tuple(filter(None, cells))))
    return kept
