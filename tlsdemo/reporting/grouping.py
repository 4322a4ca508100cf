"""PURE.  Groups of matrix cells with something in common, so that a report shows it once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from tlsdemo.trace.observation import Observation

OUR_SERVER = ("tlsdemo", "openssl")
"""The stacks that talk to our own server, whose cells are distinguished by the mode."""


@dataclass(frozen=True)
class Group:
    """Cells that have the same key; ``configurations`` names them."""

    configurations: str
    cells: tuple[Observation, ...]

    @property
    def first(self) -> Observation:
        """The cell that represents the group."""
        return self.cells[0]


def grouped(cells: Sequence[Observation], key: Callable[[Observation], Hashable]) -> list[Group]:
    """Group the cells of one scenario by ``key``, in order of appearance."""
    groups: dict[Hashable, list[Observation]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return [Group(_configurations(each, cells), tuple(each)) for each in groups.values()]


def _configurations(some: Sequence[Observation], among: Sequence[Observation]) -> str:
    """Name cells by mode or stack, with the versions of TLS unless they have all of them."""
    if len(some) == len(among):
        return "all"
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
    """Return the mode of our own server, or else the name of the other stack."""
    return cell.mode if cell.stack in OUR_SERVER else cell.stack


def by_scenario(cells: Sequence[Observation]) -> dict[str, list[Observation]]:
    """Return the cells that have traces, by scenario, in order of appearance."""
    scenarios: dict[str, list[Observation]] = {}
    for cell in cells:
        if cell.traces:
            scenarios.setdefault(cell.scenario, []).append(cell)
    return scenarios


def not_observed(cells: Sequence[Observation]) -> dict[str, list[str]]:
    """Return the names of the cells without traces, by the reason."""
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if not cell.traces:
            name = f"{cell.scenario}: {name_of(cell)}, TLS {cell.tls}"
            reasons.setdefault(cell.reason, []).append(name)
    return reasons
