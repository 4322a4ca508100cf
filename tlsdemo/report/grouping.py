"""PURE.  What many cells of the matrix have in common, said once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tlsdemo.sightings import Sighting


@dataclass(frozen=True)
class Group:
    """Cells that are alike in something; ``where`` says which they are."""

    where: str
    cells: tuple[Sighting, ...]

    @property
    def first(self) -> Sighting:
        """One that stands for all."""
        return self.cells[0]


def grouped(cells: Sequence[Sighting], key: Callable[[Sighting], Hashable]) -> list[Group]:
    """Put together the cells of one way that have the same ``key``, in the order they come."""
    groups: dict[Hashable, list[Sighting]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return [Group(_where(each, cells), tuple(each)) for each in groups.values()]


def _where(some: Sequence[Sighting], among: Sequence[Sighting]) -> str:
    """Say which cells these are: by mode where all versions are there, by version where not."""
    if len(some) == len(among):
        return "everywhere"
    versions = list(dict.fromkeys(cell.tls for cell in among))
    by_name: dict[str, list[str]] = {}
    for cell in some:
        by_name.setdefault(name_of(cell), []).append(cell.tls)
    names = list(dict.fromkeys(name_of(cell) for cell in among))
    if len(by_name) == len(names) and len({tuple(each) for each in by_name.values()}) == 1:
        return "TLS " + ", ".join(next(iter(by_name.values())))
    return "; ".join(
        name if tls == versions else f"{name} with TLS {', '.join(tls)}"
        for name, tls in by_name.items()
    )


def name_of(cell: Sighting) -> str:
    """Return what secures the cell: our mode, or the foreign program where there is one."""
    return cell.mode if cell.peer == "tlsdemo" else cell.peer


def by_way(cells: Sequence[Sighting]) -> dict[str, list[Sighting]]:
    """Return the cells by way, in the order they come; without those that there are none of."""
    ways: dict[str, list[Sighting]] = {}
    for cell in cells:
        if cell.traces:
            ways.setdefault(cell.way, []).append(cell)
    return ways


def not_seen(cells: Sequence[Sighting]) -> dict[str, list[str]]:
    """Return why there are cells with nothing in them, and the names of those."""
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if not cell.traces:
            name = f"{cell.way}: {name_of(cell)}, TLS {cell.tls}"
            reasons.setdefault(cell.why, []).append(name)
    return reasons
