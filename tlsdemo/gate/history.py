"""What changed between which versions, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tlsdemo.gate.changes import Change
from tlsdemo.gate.further_reading import finding_of
from tlsdemo.gate.verdict import Verdict
from tlsdemo.printable import printable
from tlsdemo.reporting.run_text import versions_text


def history(verdicts: Sequence[Verdict]) -> str:
    """Return a table of the changes with each candidate, in the order in which they were named.

    If they are named from the newest to the oldest, each has only what those before it have not.
    What one finding explains has one row.
    """
    here = versions_text(verdicts[0].here) if verdicts else ""
    lines = [
        f"Compared with {here}. Each has what those above it have not.", "",
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
        yield row(verdict.name, "nothing more", "", "", "")
    for what, cells, baseline, candidate in explained_rows(changes):
        yield row(verdict.name, what, cells, candidate, baseline)


def explained_rows(changes: Iterable[Change]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what changed, in how many connections, what it was and what it is.

    What one finding explains is one of them, with what the first of its changes was and is.
    """
    explained: dict[str, list[Change]] = {}
    for change in changes:
        explained.setdefault(finding_of(change) or change.key, []).append(change)
    for name, same in explained.items():
        first = same[0]
        what = f"[{name}](findings.md#{name})" if finding_of(first) else (
            f"{first.part}, {first.what}"
        )  # fmt: skip
        cells = len({cell for change in same for cell in change.cells})
        yield what, str(cells or ""), first.baseline, first.candidate


def row(*cells: str) -> str:
    """Return a row of a table of Markdown."""
    texts = (printable(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"
