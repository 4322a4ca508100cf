"""PURE.  Limits of a change, such as ``handshakes/s<-5%``, which fail a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tlsdemo.reporting.run_comparison import FOR_A_P99, FigureRatio, has_too_few_values

_LIMIT = re.compile(
    r"\s*(?P<figure>[A-Za-z0-9./() -]*[A-Za-z)])\s*(?P<sign>[<>])\s*"
    r"(?P<percent>[+-]?\d+(?:\.\d+)?)\s*%\s*"
)


class BadLimit(ValueError):
    """A limit that is not understood; the text says why."""


@dataclass(frozen=True)
class ChangeLimit:
    """A change that is a failure: of ``figure``, below or above ``limit`` (0.05 for 5 %)."""

    text: str
    figure: str
    below: bool
    limit: float

    def verdicts(self, figures: Sequence[FigureRatio]) -> Iterator[tuple[bool, str]]:
        """Return for each such figure whether it is within the limit, and a line about it.

        A change beyond the limit is a failure unless it is within the noise.  What cannot be judged
        is a failure.
        """
        found = [each for each in figures if self.figure in (each.name, each.name.split(" ")[-1])]
        if not found:
            names = [each.name for each in figures]
            short = [each.split(" ")[-1] for each in names]
            if has_too_few_values(self.figure, [*names, *short]):
                why = f": {FOR_A_P99}"
            else:
                why = f", as only these were measured: {', '.join(names) or 'nothing'}"
            yield False, f"{self.text}: cannot be judged{why}"
        for each in found:
            beyond = each.change < self.limit if self.below else each.change > self.limit
            if each.ratio.low is None:
                yield False, f"{self.text}: cannot be judged by so few runs ({each.change:+.1%})"
            else:
                failed = beyond and each.ratio.differs
                verdict = "FAILED" if failed else "ok"
                yield not failed, f"{self.text}: {verdict}, {each.name} {each.change:+.1%}"


def change_limit(text: str) -> ChangeLimit:
    """Read a limit; raises BadLimit.

    >>> change_limit("p99(handshake)>+10%")
    ChangeLimit(text='p99(handshake)>+10%', figure='p99(handshake)', below=False, limit=0.1)
    """
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise BadLimit("no limit, such as handshakes/s<-5% or p99(handshake)>+10%")
    limit = float(found["percent"]) / 100
    if (limit < 0) != (found["sign"] == "<") or not limit:
        raise BadLimit("which no change would be beyond; write <-5% or >+5%")
    return ChangeLimit(text.strip(), found["figure"].strip(), found["sign"] == "<", limit)
