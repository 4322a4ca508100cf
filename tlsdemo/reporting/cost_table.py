"""What a load costs here and with other versions, side by side: one row a figure of a mode."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from tlsdemo.reporting.cost_differences import Difference


def cost_table(differences: Iterable[Difference], title: str) -> Table:
    """Make the table of ``differences``; those of a mode follow each other."""
    table = Table(title=title)
    table.add_column("")
    table.add_column("here", justify="right")
    table.add_column("there", justify="right")
    table.add_column("there / here, 95 % confidence")
    last = ""
    for each in differences:
        if each.mode != last:
            table.add_section()
            table.add_row(each.mode)
        table.add_row(
            f"  {each.figure.name}",
            each.figure.written(each.here),
            each.figure.written(each.there),
            each.wording,
        )
        last = each.mode
    return table
