"""What differs between two catalogues of findings.

A catalogue is what ``tlsdemo findings --all --json`` writes: ``{"versions": {…}, "findings":
[{"name", "title", "verdict", "evidence", "seconds"}]}``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SO = "still so"
NOT_SO = ("no longer so", "not yet so")


class Change(enum.Enum):
    """How a finding differs between here and there."""

    THERE_ONLY = "so there, not here"
    HERE_ONLY = "so here, not there"
    UNTOLD = "cannot be told on one side"


@dataclass(frozen=True)
class FindingDifference:
    """One finding that is not the same on both sides, with the evidence of both, empty if none."""

    name: str
    title: str
    change: Change
    here: str
    there: str

    def __str__(self) -> str:
        return f"{self.name}: {self.change.value}: here: {self.here}; there: {self.there}"

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return {
            "name": self.name,
            "title": self.title,
            "change": self.change.value,
            "here": self.here,
            "there": self.there,
        }


def finding_differences(
    here: Mapping[str, Any], there: Mapping[str, Any]
) -> Iterator[FindingDifference]:
    """Tell which findings came, went, or cannot be told on one of the sides.

    In the order of the findings here, then those only there.  One that is so on both sides, or on
    neither, is no difference, though its evidence may be worded otherwise.
    """
    ours = {each["name"]: each for each in here["findings"]}
    theirs = {each["name"]: each for each in there["findings"]}
    for name in [*ours, *(each for each in theirs if each not in ours)]:
        one, other = ours.get(name), theirs.get(name)
        held = (_holds(one), _holds(other))
        if held[0] is not held[1]:
            title = (one or other or {}).get("title", name)
            yield FindingDifference(name, title, _change(*held), _said(one), _said(other))


def _verdict(finding: Mapping[str, Any]) -> str:
    return str(finding["verdict"]).replace("_", " ")


def _holds(finding: Mapping[str, Any] | None) -> bool | None:
    """Whether it is so; ``None`` if that cannot be told."""
    verdict = "" if finding is None else _verdict(finding)
    return True if verdict == SO else False if verdict in NOT_SO else None


def _change(here: bool | None, there: bool | None) -> Change:
    if here is None or there is None:
        return Change.UNTOLD
    return Change.HERE_ONLY if here else Change.THERE_ONLY


def _said(finding: Mapping[str, Any] | None) -> str:
    if finding is None:
        return "not in the catalogue"
    evidence = finding.get("evidence") or ""
    lines = evidence if isinstance(evidence, list) else str(evidence).splitlines()
    return ", ".join([_verdict(finding), *map(str, lines[:1])])
