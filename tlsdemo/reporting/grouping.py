"""PURE.  Groups of matrix cells with something in common, so that a report shows it once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
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


def grouped(
    cells: Sequence[Observation],
    key: Callable[[Observation], Hashable],
    names: Collection[str],
) -> list[Group]:
    """Group the cells of one scenario by ``key``, in order of appearance.

    ``names``: the modes and stacks of the whole matrix, which are "all" together.
    """
    groups: dict[Hashable, list[Observation]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return [Group(_configurations(each, cells, names), tuple(each)) for each in groups.values()]


def _configurations(
    some: Sequence[Observation], among: Sequence[Observation], names: Collection[str]
) -> str:
    """Name cells by mode or stack, with the versions of TLS unless they have all of them."""
    versions = tuple(dict.fromkeys(cell.tls for cell in among))
    by_name: dict[str, tuple[str, ...]] = {}
    for cell in some:
        by_name[name_of(cell)] = (*by_name.get(name_of(cell), ()), cell.tls)
    by_versions: dict[tuple[str, ...], list[str]] = {}
    for name, tls in by_name.items():
        by_versions.setdefault(tls, []).append(name)
    return "; ".join(
        ("all" if len(alike) == len(names) else ", ".join(alike))
        + ("" if tls == versions else f" with TLS {', '.join(tls)}")
        for tls, alike in by_versions.items()
    )


def names_of(cells: Sequence[Observation]) -> list[str]:
    """Return the names of the modes and stacks, in order of appearance."""
    return list(dict.fromkeys(name_of(cell) for cell in cells))


def not_tried(cells: Sequence[Observation], names: Collection[str]) -> list[str]:
    """Return those of ``names`` that the cells of one scenario do not have."""
    tried = names_of(cells)
    return [name for name in names if name not in tried]


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
