"""What changed between which versions, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tlsdemo.gate.changes import Change
from tlsdemo.gate.further_reading import finding_of
from tlsdemo.gate.verdict import Verdict
from tlsdemo.printable import printable
from tlsdemo.reporting.run_text import versions_text


def history(verdicts: Sequence[Verdict]) -> str:
    """Return a table of the changes with each candidate, in the order in which they were named.

    If they are named from the newest to the oldest, each has only what the one before it has not.
    """
    here = versions_text(verdicts[0].here) if verdicts else ""
    lines = [
        f"Compared with {here}. A row has what the row above it does not have.", "",
        "| with | otherwise than here | connections | it is | here |", "|---|---|---|---|---|",
    ]  # fmt: skip
    before: set[str] = set()
    for verdict in verdicts:
        new = [each for each in verdict.changes if each.key not in before]
        before |= {each.key for each in new}
        lines += _rows(verdict, new)
    return "\n".join(lines) + "\n"


def _rows(verdict: Verdict, changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        yield _row(verdict.name, "nothing more", "", "", "")
    for change in changes:
        finding = finding_of(change)
        what = f"[{finding}](findings.md#{finding})" if finding else f"{change.part}, {change.what}"
        yield _row(
            verdict.name, what, str(len(change.cells) or ""), change.candidate, change.baseline
        )


def _row(*cells: str) -> str:
    texts = (printable(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"
