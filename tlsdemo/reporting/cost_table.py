"""The cost of a load with baseline and candidate, side by side: one row for a metric of a mode."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from tlsdemo.reporting.cost_differences import Difference


def cost_table(differences: Iterable[Difference], title: str) -> Table:
    """Make the table of ``differences``, which are sorted by mode."""
    table = Table(title=title)
    table.add_column("")
    table.add_column("baseline", justify="right")
    table.add_column("candidate", justify="right")
    table.add_column("candidate / baseline, 95 % confidence")
    last = ""
    for each in differences:
        if each.mode != last:
            table.add_section()
            table.add_row(each.mode)
        table.add_row(
            f"  {each.metric.name}",
            each.metric.format(each.baseline),
            each.metric.format(each.candidate),
            each.text,
        )
        last = each.mode
    return table
