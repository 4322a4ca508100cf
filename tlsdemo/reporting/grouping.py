"""PURE.  What many cells of the matrix have in common, said once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tlsdemo.trace.observation import Observation

OURS = ("tlsdemo", "openssl")
"""The peers before which the mode is what tells cells apart: the server is ours."""


@dataclass(frozen=True)
class Group:
    """Cells that are alike in something; ``where`` says which they are."""

    where: str
    cells: tuple[Observation, ...]

    @property
    def first(self) -> Observation:
        """One that stands for all."""
        return self.cells[0]


def grouped(cells: Sequence[Observation], key: Callable[[Observation], Hashable]) -> list[Group]:
    """Put together the cells of one way that have the same ``key``, in the order they come."""
    groups: dict[Hashable, list[Observation]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return [Group(_where(each, cells), tuple(each)) for each in groups.values()]


def _where(some: Sequence[Observation], among: Sequence[Observation]) -> str:
    """Say which cells these are: by name, and by version of TLS where not all are there."""
    if len(some) == len(among):
        return "everywhere"
    versions = tuple(dict.fromkeys(cell.tls for cell in among))
    by_name: dict[str, tuple[str, ...]] = {}
    for cell in some:
        by_name[name_of(cell)] = (*by_name.get(name_of(cell), ()), cell.tls)
    by_versions: dict[tuple[str, ...], list[str]] = {}
    for name, tls in by_name.items():
        by_versions.setdefault(tls, []).append(name)
    every_name = len(by_name) == len({name_of(cell) for cell in among})
    if every_name and len(by_versions) == 1:
        return f"TLS {', '.join(next(iter(by_versions)))}"
    return "; ".join(
        ", ".join(names) + ("" if tls == versions else f" with TLS {', '.join(tls)}")
        for tls, names in by_versions.items()
    )


def name_of(cell: Observation) -> str:
    """Return what secures the cell: our mode, or the foreign program where there is one."""
    return cell.mode if cell.peer in OURS else cell.peer


def by_scenario(cells: Sequence[Observation]) -> dict[str, list[Observation]]:
    """Return the cells by way, in the order they come; without those that there are none of."""
    scenarios: dict[str, list[Observation]] = {}
    for cell in cells:
        if cell.traces:
            scenarios.setdefault(cell.scenario, []).append(cell)
    return scenarios


def not_seen(cells: Sequence[Observation]) -> dict[str, list[str]]:
    """Return why there are cells with nothing in them, and the names of those."""
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if not cell.traces:
            name = f"{cell.scenario}: {name_of(cell)}, TLS {cell.tls}"
            reasons.setdefault(cell.why, []).append(name)
    return reasons
