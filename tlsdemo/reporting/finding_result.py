"""PURE.  The result of reproducing a finding, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

REPRODUCTION_FAILED = "the reproduction failed"
"""How the reason begins if there is no verdict because of an exception."""


class Verdict(Enum):
    """Whether a finding holds for the installed versions."""

    STILL_SO = "still so"
    NO_LONGER_SO = "no longer so"
    NOT_YET_SO = "not yet so"
    """It does not hold because the installed version is older than the first affected one."""
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Evidence:
    """What a reproduction observed.

    Attributes:
        verdict: Whether the finding holds.
        lines: Measured values, and events in the order in which they happened.
        reason: Why there is no verdict, in one line; empty if there is one.
    """

    verdict: Verdict
    lines: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class FindingDescription:
    """What is known about a finding without reproducing it.

    Attributes:
        name: Lower-case words, joined with hyphens.
        title: One sentence.
        paragraph: What happens, why it matters, and what to do about it.
        affected: The affected versions, in words.
        tickets: The URLs of the upstream tickets that are about it, the closest one first.
    """

    name: str
    title: str
    paragraph: str
    affected: str
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingResult:
    """The outcome of one reproduction.

    Attributes:
        finding: What was reproduced.
        evidence: What was observed, with the verdict for the installed versions.
        seconds: How long the reproduction took.
    """

    finding: FindingDescription
    evidence: Evidence
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry; ``reason`` only if there is no verdict."""
        return {
            "name": self.finding.name,
            "title": self.finding.title,
            "verdict": self.evidence.verdict.value,
            "evidence": list(self.evidence.lines),
            "seconds": round(self.seconds, 3),
            **({"reason": self.evidence.reason} if self.evidence.reason else {}),
        }
