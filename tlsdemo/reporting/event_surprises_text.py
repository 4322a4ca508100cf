"""The differences that matter most, on a terminal and in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tlsdemo.printable import printable
from tlsdemo.reporting.event_surprises import Told

_WHO = (
    "starttls, pair and wrapped are tlsdemo's modes; the other names are servers of other stacks "
    "(tlsdemo events --list)."
)


Line = tuple[str, str]
"""A line, and its style on a terminal."""


def surprises_text(found: Sequence[Told], width: int) -> Iterator[Line]:
    """Yield lines: each as a sentence, why it matters, a table, and the command that shows more."""
    if found:
        yield from _wrapped(_WHO, width)
        yield "", ""
    for number, each in enumerate(found, 1):
        yield from _wrapped(f"{number}. {each.surprise.title}", width, style="bold")
        yield from _wrapped(each.surprise.why, width)
        yield "", ""
        yield from _table(each, width)
        yield "", ""
        # Never broken, so that it can be pasted.
        yield f'  tlsdemo events --scenario "{each.surprise.scenario}"', "dim"
        yield "", ""


def _table(told: Told, width: int) -> Iterator[Line]:
    """Yield a line for each row; if one does not fit, who and what under each other."""
    rows = [("", told.surprise.column), *told.rows]
    who, what = (max(len(row[column]) for row in rows) for column in (0, 1))
    if 2 + who + 2 + what <= width:
        lines = [f"  {first:{who}}  {second}" for first, second in rows]
        lines.insert(1, f"  {'─' * (who + 2 + what)}")
        yield from ((line, "") for line in lines)
        return
    yield from _wrapped(f"{told.surprise.column}:", width, "  ")
    for first, second in told.rows:
        yield from _wrapped(first, width, "  ")
        yield from _wrapped(second, width, "      ")


def _wrapped(text: str, width: int, indent: str = "", style: str = "") -> Iterator[Line]:
    lines = textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        yield line, style


def surprises_markdown(found: Sequence[Told]) -> Iterator[str]:
    """Return the same as lines of Markdown."""
    if not found:
        return
    yield "## What surprises"
    for number, each in enumerate(found, 1):
        yield ""
        yield f"{number}. **{each.surprise.title}** {each.surprise.why}"
        yield f"   (scenario *{each.surprise.scenario}*)"
        yield ""
        yield f"   | | {each.surprise.column} |"
        yield "   |---|---|"
        for configurations, shown in each.rows:
            yield f"   | {configurations} | {shown} |"
    yield ""
