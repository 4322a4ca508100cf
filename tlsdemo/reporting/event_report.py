"""The report of ``tlsdemo events``, in each of its formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from tlsdemo.reporting.event_comparison import EventComparison
from tlsdemo.reporting.event_matrix import EventMatrix
from tlsdemo.reporting.event_matrix_html import matrix_page
from tlsdemo.reporting.event_matrix_markdown import markdown_page
from tlsdemo.reporting.event_matrix_text import LEGEND, outcomes, sequences_text
from tlsdemo.reporting.event_surprises import told
from tlsdemo.reporting.event_surprises_text import surprises_text
from tlsdemo.reporting.grouping import by_scenario
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text
from tlsdemo.reporting.terminal import cell, console_of, width_of
from tlsdemo.trace.model import Trace

FORMATS = ("text", "json", "markdown", "html")

DIAGRAM_FORMATS = ("text", "html")

FEW = 12
"""The number of cells up to which event sequences are shown by default, or diagrams at all."""

_COLUMNS = 160
"""The width of a text that is not written to a terminal."""

_WITH_STATES = ("ok with client certificate", "starttls", "tlsdemo")
"""Scenario, mode and stack of the cells whose states the documentation shows."""


def write_matrix(
    matrix: EventMatrix,
    form: str,
    stream: TextIO,
    sequences: bool,
    comparisons: Sequence[EventComparison] = (),
    only_surprises: bool = False,
) -> None:
    """Write ``matrix`` to ``stream``; ``form`` is one of `FORMATS`.

    ``only_surprises``: whether a text has just the differences that matter most.

    ``sequences``: whether a text has the event sequences even of more than `FEW` cells.
    ``comparisons`` are part of every format but the text, for which see `write_comparisons`.
    """
    if form == "json":
        against = [each.as_json() for each in comparisons]
        document = {**matrix.as_json(), **({"against": against} if against else {})}
        stream.write(json.dumps(document) + "\n")
    elif form == "html":
        stream.write(matrix_page(matrix, "".join(each.as_html() for each in comparisons)))
    elif form == "markdown":
        with_states = [
            cell for cell in matrix.cells if (cell.scenario, cell.mode, cell.stack) == _WITH_STATES
        ]
        stream.write(markdown_page(matrix, with_states))
        stream.write("".join(each.as_markdown() for each in comparisons))
    else:
        console = console_of(stream, width_of(stream, _COLUMNS))
        if only_surprises:
            for line, style in surprises_text(list(told(matrix)), console.width):
                console.print(cell(line, style), soft_wrap=True)
            count = len(by_scenario(matrix.cells))
            console.print(f"tlsdemo events --full shows what was seen in all {count} scenarios.")
            return
        console.print(outcomes(matrix, console.width))
        if console.color_system is not None and not console.no_color:
            console.print(LEGEND)
        if sequences or len(matrix.cells) <= FEW:
            console.print(sequences_text(matrix, console.width))


def write_comparisons(
    comparisons: Sequence[EventComparison], stream: TextIO, details: bool
) -> None:
    """Write what differs as text, the answer first."""
    width = width_of(stream, _COLUMNS)
    for comparison in comparisons:
        for line in comparison.lines(details, width):
            stream.write(f"{line}\n")


def write_diagrams(traces: Sequence[Trace], form: str, stream: TextIO) -> None:
    """Write the sequence diagrams of ``traces``; ``form`` is one of `DIAGRAM_FORMATS`."""
    stream.write(page(traces) if form == "html" else text(traces, width_of(stream, _COLUMNS)))
