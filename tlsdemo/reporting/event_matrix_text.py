"""The event matrix on a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tlsdemo.reporting.event_matrix import RACE, THEN, EventMatrix, lifelines_of, outcomes_of
from tlsdemo.reporting.grouping import by_scenario, grouped, names_of, not_observed, not_tried
from tlsdemo.reporting.terminal import cell
from tlsdemo.trace.observation import Outcome

TABLE_WIDTH = 110
"""Columns that the table of outcomes needs; what is narrower gets a list."""

LINE_WIDTH = 60
"""Columns that a name and what belongs to it need; what is narrower has them in two lines."""

NOT_TRIED = "not tried"

LEGEND = "Green: this end was told of no failure, rightly or not. Red: it was told of one."


def outcomes(matrix: EventMatrix, width: int) -> RenderableType:
    """Show the outcomes, for each scenario once for all cells that have the same."""
    return _outcomes_table(matrix) if width >= TABLE_WIDTH else _outcomes_list(matrix, width)


def _outcomes_table(matrix: EventMatrix) -> Table:
    table = Table(title="Outcome on each end", show_lines=False)
    for name in ("scenario", "configurations", "server", "client"):
        table.add_column(name, overflow="fold")
    names = names_of(matrix.cells)
    for scenario, cells in by_scenario(matrix.cells).items():
        first = scenario
        for group in grouped(cells, outcomes_of, names):
            server, client = outcomes_of(group.first)
            table.add_row(
                cell(first), cell(group.configurations), _coloured(server), _coloured(client)
            )
            first = ""
        if others := not_tried(cells, names):
            table.add_row("", cell(", ".join(others), style="dim"), cell(NOT_TRIED, style="dim"))
    return table


def _outcomes_list(matrix: EventMatrix, width: int) -> RenderableType:
    lines: list[RenderableType] = [cell("Outcome on each end", style="italic")]
    names = names_of(matrix.cells)
    for scenario, cells in by_scenario(matrix.cells).items():
        lines += [Text(), cell(scenario, style="bold")]
        for group in grouped(cells, outcomes_of, names):
            lines.append(cell(f"  {group.configurations}"))
            for end, outcome in zip(("server", "client"), outcomes_of(group.first), strict=True):
                lines.append(_line(end, _coloured(outcome), width))
        if others := not_tried(cells, names):
            lines.append(cell(f"  {NOT_TRIED}: {', '.join(others)}", style="dim"))
    return Group(*lines)


def _coloured(outcome: Outcome) -> Text:
    return cell(outcome.text, style="green" if outcome.in_order else "red")


def sequences_text(matrix: EventMatrix, width: int) -> RenderableType:
    """Show the event sequences of each scenario, once for all cells that have the same."""
    lines: list[RenderableType] = []
    names = names_of(matrix.cells)
    for scenario, cells in by_scenario(matrix.cells).items():
        description = matrix.descriptions.get(scenario, "")
        lines += [Text(), cell(f"{scenario}: {description}", style="bold")]
        for group in grouped(cells, lambda cell: tuple(cell.sequences), names):
            lines.append(cell(f"  {group.configurations}"))
            for number, sequences in enumerate(group.first.sequences):
                if number:
                    lines.append(cell(f"    {RACE}"))
                lines += [
                    _line(name, cell(THEN.join(labels)), width)
                    for name, labels in lifelines_of(sequences)
                ]
    for reason, cells_of in not_observed(matrix.cells).items():
        names_text = "; ".join(cells_of)
        lines += [Text(), cell(f"not observed, because {reason}: {names_text}", style="dim")]
    return Group(*lines)


def _line(name: str, content: Text, width: int) -> RenderableType:
    if width < LINE_WIDTH:
        return Group(cell(f"    {name}"), Padding(content, (0, 0, 0, 6), expand=False))
    line = Table.grid(padding=(0, 1))
    line.add_column(width=22)
    line.add_column(overflow="fold")
    line.add_row(cell(f"    {name}"), content)
    return line
