"""The report of ``tlsdemo run``: tables for a terminal, and the document for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from tlsdemo.reporting.comparison_table import comparison_table
from tlsdemo.reporting.cost_differences import differences
from tlsdemo.reporting.cost_table import cost_table
from tlsdemo.reporting.difference_text import version_lines
from tlsdemo.reporting.run_comparison import comparison_lines, comparisons
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.run_text import cost_line, result_lines
from tlsdemo.reporting.terminal import print_line


@dataclass(frozen=True)
class LoadResults:
    """The runs with one set of versions: by mode, one for each round.

    ``name`` identifies the versions for the user.
    """

    name: str
    versions: Mapping[str, str]
    runs: dict[str, list[RunResult]] = field(default_factory=dict)

    def add(self, mode: str, result: RunResult) -> None:
        """Add the result of the next round of ``mode``."""
        self.runs.setdefault(mode, []).append(result)

    def all(self) -> list[RunResult]:
        """Return all runs, mode by mode."""
        return [run for runs in self.runs.values() for run in runs]

    def as_json(self) -> dict[str, Any]:
        """Return the versions and the metrics of all runs."""
        return {"versions": dict(self.versions), "runs": [run.as_json() for run in self.all()]}


def print_run(console: Console, title: str, result: RunResult, brief: bool) -> None:
    """Print the result of one run; ``brief``: in one line if there was no problem."""
    without_problem = result.complete and not result.lost
    for line in [cost_line(result)] if brief and without_problem else result_lines(result):
        print_line(console, f"{title}: {line}")


def print_comparison(
    console: Console, load: str, baseline: LoadResults, candidates: Sequence[LoadResults]
) -> None:
    """Print the modes side by side, or else the costs of each candidate; ``load`` is the title.

    Of modes that were measured several times, each is compared with the first one.
    """
    if not candidates and any(len(runs) > 1 for runs in baseline.runs.values()):
        print_line(console, f"{load}:")
        for each in comparisons(baseline.as_json()):
            for line in comparison_lines(each):
                print_line(console, line)
    elif not candidates:
        console.print(comparison_table(baseline.all(), load))
    for candidate in candidates:
        costs = differences(baseline.runs, candidate.runs)
        console.print(cost_table(costs, f"{load}; candidate: {candidate.name}"))
        for line in version_lines(baseline.versions, candidate.versions):
            print_line(console, line)


def comparison_as_json(baseline: LoadResults, candidates: Sequence[LoadResults]) -> dict[str, Any]:
    """Return all results, and the differences of each candidate from the baseline."""
    document = baseline.as_json()
    if candidates:
        document["against"] = [
            {
                "name": candidate.name,
                **candidate.as_json(),
                "differences": [
                    each.as_json() for each in differences(baseline.runs, candidate.runs)
                ],
            }
            for candidate in candidates
        ]
    return document
