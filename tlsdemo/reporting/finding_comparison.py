"""The verdicts here and with other versions, side by side: what differs first, the rest counted.

A result is what ``tlsdemo findings --json`` writes; see `tlsdemo.reporting.finding_differences`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tlsdemo.reporting.difference_text import distinguishing_versions
from tlsdemo.reporting.finding_differences import STILL_SO, finding_differences, verdict_of
from tlsdemo.reporting.terminal import cell, print_line

DIFFERS = "\N{NOT EQUAL TO}"
"""Marks a row whose verdicts differ."""

HERE, THERE = "here", "there"

Results = Mapping[str, Mapping[str, Any]]
"""The result of each candidate, by its name."""


def differing(here: Mapping[str, Any], others: Results) -> list[str]:
    """Return the names of the findings on which a candidate has another verdict."""
    found = (each.name for result in others.values() for each in finding_differences(here, result))
    return list(dict.fromkeys(found))


def headline(here: Mapping[str, Any], others: Results) -> str:
    """Return the answer in one sentence."""
    count, total = len(differing(here, others)), len(here["findings"])
    names = ", ".join(others)
    if not count:
        return f"No differences from {names}: {total} {'is' if total == 1 else 'are'} alike."
    return f"{count} of {total} {'differs' if count == 1 else 'differ'} from {names}."


def print_comparison(
    console: Console, here: Mapping[str, Any], others: Results, everything: bool
) -> None:
    """Print the answer; with ``everything``, findings that are alike have a row as well."""
    rows = differing(here, others)
    alike = [each["name"] for each in here["findings"] if each["name"] not in rows]
    print_line(console, headline(here, others))
    if rows or everything:
        console.print(_table(here, others, rows, alike if everything else []))
    if alike and rows:
        print_line(console, f"{len(alike)} alike: {_counted(here, alike)}")
    elif alike:
        print_line(console, _counted(here, alike))
    versions = {HERE: here["versions"], **_named(others, lambda each: each["versions"])}
    for line in distinguishing_versions(versions):
        print_line(console, line)


def _table(
    here: Mapping[str, Any], others: Results, rows: Sequence[str], alike: Iterable[str]
) -> Table:
    sides = [_by_name(here), *map(_by_name, others.values())]
    table = Table()
    table.add_column("")
    for heading in ("finding", HERE, *_named(others, lambda each: each)):
        table.add_column(cell(heading), overflow="fold")
    for name in (*rows, *alike):
        mark = DIFFERS if name in rows else ""
        verdicts = (_verdict(side.get(name)) for side in sides)
        style = "bold" if mark else "dim"
        table.add_row(mark, cell(name, style), *(cell(each, _style(each)) for each in verdicts))
    return table


def comparison_markdown(here: Mapping[str, Any], others: Results) -> str:
    """Return the answer as a section of a page."""
    rows = differing(here, others)
    lines = ["", "## Compared with other versions", "", headline(here, others), ""]
    if rows:
        lines += [f"| finding | {HERE} | {' | '.join(others)} |", "|---" * (2 + len(others)) + "|"]
    sides = [_by_name(here), *map(_by_name, others.values())]
    lines += [
        f"| {name} | {' | '.join(_verdict(side.get(name)) for side in sides)} |" for name in rows
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def comparison_json(here: Mapping[str, Any], others: Results) -> dict[str, Any]:
    """Return the result here, with those of the candidates and how they differ."""
    against = [
        {
            "name": name,
            **result,
            "differences": [
                {
                    "name": each.name,
                    "change": each.change.value,
                    "baseline": each.baseline,
                    "candidate": each.candidate,
                }
                for each in finding_differences(here, result)
            ],
        }
        for name, result in others.items()
    ]
    return {**here, "against": against} if against else dict(here)


def observed_there(name: str, others: Results) -> list[str]:
    """Return what was observed of one finding with each candidate, as lines."""
    lines = []
    for candidate, result in others.items():
        found = _by_name(result).get(name)
        evidence = [] if found is None else found.get("evidence") or ["nothing"]
        lines += [f"Observed with {candidate}:", *(f"  {line}" for line in evidence), ""]
        lines += [f"Verdict there: {_verdict(found)}", ""]
    return lines


def _named(others: Results, value: Any) -> dict[str, Any]:
    """Return a value of each candidate, by the heading of its column."""
    alone = len(others) == 1
    return {THERE if alone else name: value(each) for name, each in others.items()}


def _by_name(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in result["findings"]}


def _verdict(finding: Mapping[str, Any] | None) -> str:
    return "not in the catalogue" if finding is None else verdict_of(finding)


def _counted(here: Mapping[str, Any], names: Iterable[str]) -> str:
    findings = _by_name(here)
    counts = Counter(_verdict(findings[name]) for name in names)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def _style(verdict: str) -> str:
    return "red" if verdict == STILL_SO else "yellow" if verdict == "cannot tell" else "green"
