"""The differences that matter most, on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from tlsdemo.reporting.event_surprises import Told
from tlsdemo.reporting.terminal import cell


def surprises_text(found: Sequence[Told]) -> RenderableType:
    """Show each as a sentence, why it matters, a table, and the command that shows more."""
    lines: list[RenderableType] = []
    for number, each in enumerate(found, 1):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("", overflow="fold")
        table.add_column(each.surprise.column, overflow="fold")
        for configurations, shown in each.rows:
            table.add_row(cell(configurations), cell(shown))
        lines += [
            cell(f"{number}. {each.surprise.title}", style="bold"),
            cell(each.surprise.why),
            Padding(table, (0, 0, 0, 2)),
            cell(f"  tlsdemo events --scenario '{each.surprise.scenario}'", style="dim"),
            cell(""),
        ]
    return Group(*lines)


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
