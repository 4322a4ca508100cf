"""PURE.  The list of scenarios and stacks that ``tlsdemo events --list`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def scenario_list(scenarios: Mapping[str, str], stacks: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of the list; each mapping has the description of each name."""
    width = max(map(len, (*scenarios, *stacks))) + 2
    yield from ("Scenarios (--scenario):", "")
    yield from (f"  {name:{width}}{description}" for name, description in scenarios.items())
    yield from ("", "Servers of other stacks (--stack):", "")
    yield from (f"  {name:{width}}{description}" for name, description in stacks.items())
