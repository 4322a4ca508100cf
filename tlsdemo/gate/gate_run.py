"""Compares the installed versions with others, part by part, and looks twice at what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tlsdemo.gate.changes import (
    Change,
    confirmed,
    cost_changes,
    event_changes,
    finding_changes,
)

Run = Callable[[Sequence[str]], Any]
"""Runs ``tlsdemo`` with these arguments in one environment, and returns its JSON."""

CONFIRMATIONS = 2
"""How many times what differs is tried again: it counts if it differs each time."""

_EVENTS = ("events", "--format=json", "--mode=starttls", "--mode=wrapped",
           "--stack=twisted-starttls")  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of the gate.

    Attributes:
        name: What users call it.
        description: What it compares.
        arguments: The command whose results are compared.
        compare: Finds the changes between two results.
        again: Returns the command to try changes again; None if its results are always the same.
    """

    name: str
    description: str
    arguments: Sequence[str]
    compare: Callable[[Any, Any], list[Change]]
    again: Callable[[Sequence[Change]], Sequence[str]] | None = None


def _events_again(changes: Sequence[Change]) -> Sequence[str]:
    cells = [cell for change in changes for cell in change.cells]
    # A cell is "mode version scenario peer", and the scenario may have spaces.
    scenarios = dict.fromkeys(" ".join(cell.split(" ")[2:-1]) for cell in cells)
    return (*_EVENTS, "--times=3", *(f"--scenario={name}" for name in scenarios))


def _findings_again(changes: Sequence[Change]) -> Sequence[str]:
    return ("findings", "--format=json", *(change.what for change in changes))


def _events_and_costs(baseline: Any, candidate: Any) -> list[Change]:
    return [*event_changes("events", baseline, candidate), *cost_changes(baseline, candidate)]


PARTS = {
    part.name: part
    for part in (
        Part(
            "findings",
            "whether the findings are still so",
            ("findings", "--all", "--format=json"),
            finding_changes,
            _findings_again,
        ),
        Part(
            "stock",
            "what Twisted's own ways to TLS tell a protocol and its peer, in memory",
            ("gate", "--observe"),
            lambda baseline, candidate: event_changes("stock", baseline, candidate),
        ),
        Part(
            "events",
            "the events of connections over loopback, and the bytes of those",
            _EVENTS,
            _events_and_costs,
            _events_again,
        ),
    )
}
"""The parts by name, those first whose changes are explained best."""


def observations(run: Run, parts: Iterable[str]) -> dict[str, Any]:
    """Return the results of the ``parts`` in one environment, by their names."""
    return {name: run(PARTS[name].arguments) for name in parts}


def changes_between(
    baseline: dict[str, Any], candidate: dict[str, Any], here: Run, there: Run
) -> list[Change]:
    """Return what has changed; what depends on timing is tried again in both environments."""
    found: list[Change] = []
    for name, result in baseline.items():
        part = PARTS[name]
        changes = part.compare(result, candidate[name])
        for _ in range(CONFIRMATIONS if part.again is not None else 0):
            if changes and part.again is not None:
                arguments = part.again(changes)
                changes = confirmed(changes, part.compare(here(arguments), there(arguments)))
        found += changes
    return found
