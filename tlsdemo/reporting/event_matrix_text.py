"""The event matrix on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tlsdemo.reporting.event_matrix import RACE, THEN, EventMatrix, lifelines_of, outcomes_of
from tlsdemo.reporting.grouping import by_scenario, grouped, not_observed


def outcomes_table(matrix: EventMatrix) -> Table:
    """Make the table of outcomes: for each scenario a row for each group of equal outcomes."""
    table = Table(title="Outcome on each end", show_lines=False)
    for name in ("scenario", "configurations", "server", "client"):
        table.add_column(name, overflow="fold")
    for scenario, cells in by_scenario(matrix.cells).items():
        for number, group in enumerate(grouped(cells, outcomes_of)):
            row = (group.configurations, *outcomes_of(group.first))
            table.add_row("" if number else scenario, *row, end_section=False)
    return table


def sequences_text(matrix: EventMatrix) -> RenderableType:
    """Show the event sequences of each scenario, once for all cells that have the same."""
    lines: list[RenderableType] = []
    for scenario, cells in by_scenario(matrix.cells).items():
        description = matrix.descriptions.get(scenario, "")
        lines.append(Text(f"\n{scenario}: {description}", style="bold"))
        for group in grouped(cells, lambda cell: tuple(cell.sequences)):
            lines.append(Text(f"  {group.configurations}"))
            for number, sequences in enumerate(group.first.sequences):
                if number:
                    lines.append(Text(f"    {RACE}"))
                lines += [_line(name, labels) for name, labels in lifelines_of(sequences)]
    for reason, names in not_observed(matrix.cells).items():
        lines.append(Text(f"\nnot observed, because {reason}: {'; '.join(names)}", style="dim"))
    return Group(*lines)


def _line(name: str, labels: Sequence[str]) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    line.add_column(width=22)
    line.add_column(overflow="fold")
    line.add_row(f"    {name}", THEN.join(labels))
    return line
