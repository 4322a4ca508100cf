"""What a server made of unusual ClientHellos: results as lines and for JSON."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any


class Verdict(enum.Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TESTED = "not tested"


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        name: What was special about the ClientHello.
        verdict: Whether the server took it.
        cause: The name of the cause if not.
        detail: More about that; why it was not tested.
        group: The group of the key exchange, if one was agreed on.
        hello: Bytes of the ClientHello.
        cut: Bytes that were in its first segment; 0 for all.
        retried: Whether the server has sent a HelloRetryRequest.
    """

    name: str
    verdict: Verdict
    cause: str = ""
    detail: str = ""
    group: str = ""
    hello: int = 0
    cut: int = 0
    retried: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "verdict": self.verdict.value}


def ready(results: Sequence[CheckResult]) -> bool:
    """Return whether every check was made, and passed."""
    return all(each.verdict is Verdict.PASSED for each in results)


def readiness_lines(results: Sequence[CheckResult]) -> Iterator[str]:
    """Return a line for each check, and their sum."""
    for each in results:
        yield f"{_word(each.verdict):10}  {each.name}: {_explanation(each)}"
    counts = Counter(each.verdict for each in results)
    sums = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    yield f"{len(results)} checks: {sums}"
    groups = {each.group for each in results if each.verdict is Verdict.PASSED}
    if groups and not any("MLKEM" in group.upper() for group in groups):
        agreed = ", ".join(sorted(groups))
        yield f"note: no post-quantum group was agreed on, only {agreed}"


def _word(verdict: Verdict) -> str:
    word: str = verdict.value
    return word.upper() if verdict is Verdict.FAILED else word


def _explanation(result: CheckResult) -> str:
    hello = f"ClientHello of {result.hello:,} bytes" if result.hello else "no ClientHello was sent"
    if result.verdict is Verdict.PASSED:
        return f"{result.group}, {hello}"
    reason = ": ".join(filter(None, (result.cause, result.detail)))
    return f"{reason} ({hello})" if result.verdict is Verdict.FAILED else reason
