"""Several runs side by side: one column a run, one row a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import Snapshot

NOT_KNOWN = "—"


def _number(value: float | None, pattern: str, factor: float = 1.0) -> str:
    return NOT_KNOWN if value is None else format(value * factor, pattern)


def _served(figure: Callable[[Snapshot], float], pattern: str) -> Callable[[RunResult], str]:
    def write(run: RunResult) -> str:
        return NOT_KNOWN if run.served is None else format(figure(run.served), pattern)

    return write


ROWS: Sequence[tuple[str, Callable[[RunResult], str]]] = (
    ("connections", lambda run: f"{run.connections:,}"),
    ("secured", lambda run: f"{run.counters.secured:,}"),
    ("failed", lambda run: f"{run.counters.failures:,}"),
    ("until all were secured, s", lambda run: f"{run.securing:.2f}"),
    ("sent, MB", lambda run: f"{run.counters.sent / 1e6:,.2f}"),
    ("MB/s", lambda run: f"{run.rate:,.2f}"),
    ("events", _served(lambda served: served.events, ",")),
    ("bytes per event", _served(lambda served: served.bytes_per_event, ",.1f")),
    ("records per event", _served(lambda served: served.records_per_event, ",.1f")),
    ("server CPU per MB, ms", lambda run: _number(run.cpu_per_megabyte, ",.1f", 1000)),
    ("server CPU per connection, ms", lambda run: _number(run.cpu_per_connection, ",.2f", 1000)),
    ("greatest lag, ms", lambda run: _number(run.lag, ",.0f", 1000)),
    ("lost bytes", lambda run: _number(run.lost, ",.0f")),
)
"""The rows of the comparison, in their order: what each is called, and how it is written."""


def comparison(runs: Sequence[RunResult], title: str) -> Table:
    """Make the table of ``runs``."""
    table = Table(title=title)
    table.add_column("")
    for run in runs:
        table.add_column(run.name, justify="right")
    for name, write in ROWS:
        table.add_row(name, *(write(run) for run in runs))
    return table
