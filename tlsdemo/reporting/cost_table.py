"""The cost of a load with baseline and candidate, side by side: one row for a metric of a mode."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from tlsdemo.reporting.cost_differences import Difference
from tlsdemo.reporting.terminal import cell


def cost_table(differences: Iterable[Difference], title: str) -> Table:
    """Make the table of ``differences``, which are sorted by mode."""
    table = Table(title=cell(title, "table.title"))
    table.add_column("")
    table.add_column("baseline", justify="right")
    table.add_column("candidate", justify="right")
    table.add_column("candidate / baseline, 95 % confidence")
    last = ""
    for each in differences:
        if each.mode != last:
            table.add_section()
            table.add_row(cell(each.mode))
        table.add_row(
            cell(f"  {each.metric.name}"),
            cell(each.metric.format(each.baseline)),
            cell(each.metric.format(each.candidate)),
            cell(each.text),
        )
        last = each.mode
    return table
