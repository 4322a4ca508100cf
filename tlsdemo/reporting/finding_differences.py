"""PURE.  The differences between the verdicts of two runs of the findings.

The verdicts are what ``tlsdemo findings --all --json`` writes: ``{"versions": {…}, "findings":
[{"name", "title", "verdict", "evidence", "seconds"}]}``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

STILL_SO = "still so"
NOT_SO = ("no longer so", "not yet so")


class Change(enum.Enum):
    """How a finding differs between baseline and candidate."""

    CANDIDATE_ONLY = "holds for the candidate only"
    BASELINE_ONLY = "holds for the baseline only"
    UNKNOWN = "unknown on one side"


@dataclass(frozen=True)
class FindingDifference:
    """A finding whose verdict differs, with verdict and evidence of both sides."""

    name: str
    title: str
    change: Change
    baseline: str
    candidate: str


def finding_differences(
    baseline: Mapping[str, Any], candidate: Mapping[str, Any]
) -> Iterator[FindingDifference]:
    """Find the findings that hold on one side only, or that are unknown on one side.

    They come in the order of the baseline, followed by those that only the candidate has.  The
    evidence alone makes no difference.
    """
    old_findings = {each["name"]: each for each in baseline["findings"]}
    new_findings = {each["name"]: each for each in candidate["findings"]}
    for name in dict.fromkeys([*old_findings, *new_findings]):
        old, new = old_findings.get(name), new_findings.get(name)
        holds = (_holds(old), _holds(new))
        if holds[0] is not holds[1]:
            title = (old or new or {}).get("title", name)
            lines = [_evidence(each) for each in (old, new)]
            shown = _first_difference(*lines)
            texts = [
                _text(each, seen[shown : shown + 1])
                for each, seen in zip((old, new), lines, strict=True)
            ]
            yield FindingDifference(name, title, _change(*holds), *texts)


def verdict_of(finding: Mapping[str, Any]) -> str:
    """Return the verdict on a finding of a result."""
    return str(finding["verdict"]).replace("_", " ")


def _holds(finding: Mapping[str, Any] | None) -> bool | None:
    """Return whether a finding holds; ``None`` if that is unknown."""
    verdict = "" if finding is None else verdict_of(finding)
    return True if verdict == STILL_SO else False if verdict in NOT_SO else None


def _change(baseline: bool | None, candidate: bool | None) -> Change:
    if baseline is None or candidate is None:
        return Change.UNKNOWN
    return Change.BASELINE_ONLY if baseline else Change.CANDIDATE_ONLY


def _evidence(finding: Mapping[str, Any] | None) -> list[str]:
    evidence = (finding or {}).get("evidence") or ""
    return [*map(str, evidence)] if isinstance(evidence, list) else str(evidence).splitlines()


def _first_difference(old: list[str], new: list[str]) -> int:
    """Return the number of the first line that differs, 0 if none does.

    What comes before it is what was tried.
    """
    if old == new:
        return 0
    same = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
    return len(list(same))


def _text(finding: Mapping[str, Any] | None, shown: list[str]) -> str:
    if finding is None:
        return "not in the catalogue"
    return ", ".join([verdict_of(finding), *shown])
