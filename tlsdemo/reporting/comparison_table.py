"""Several runs side by side: a column for each run, a row for each metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.reporting.terminal import cell

UNKNOWN = "—"
UNANSWERED = "no answer"


def _number(value: float | None, pattern: str, factor: float = 1.0) -> str:
    return UNKNOWN if value is None else format(value * factor, pattern)


def _server(metric: Callable[[Snapshot], float], pattern: str) -> Callable[[RunResult], str]:
    return lambda run: UNKNOWN if run.server is None else format(metric(run.server), pattern)


def _probe(percentile: float) -> Callable[[RunResult], str]:
    def read(run: RunResult) -> str:
        probe = run.probe
        if probe is None or not (probe.measured or probe.unanswered):
            return UNKNOWN
        found = probe.at(percentile)
        return UNANSWERED if found is None else f"{found * 1000:,.1f}"

    return read


ROWS: Sequence[tuple[str, Callable[[RunResult], str]]] = (
    ("connections", lambda run: f"{run.connections:,}"),
    ("secured", lambda run: f"{run.counters.secured:,}" if run.encrypted else "in the clear"),
    ("failed", lambda run: f"{run.counters.failures:,}"),
    ("until all were secured, s", lambda run: f"{run.securing:.2f}"),
    ("sent, MB", lambda run: f"{run.counters.sent / 1e6:,.2f}"),
    ("MB/s", lambda run: f"{run.rate:,.2f}"),
    ("events", _server(lambda server: server.events, ",")),
    ("bytes per event", _server(lambda server: server.bytes_per_event, ",.1f")),
    ("records per event", _server(lambda server: server.records_per_event, ",.1f")),
    ("server CPU per MB, ms", lambda run: _number(run.cpu_per_megabyte, ",.1f", 1000)),
    ("server CPU per connection, ms", lambda run: _number(run.cpu_per_connection, ",.2f", 1000)),
    ("greatest lag, ms", lambda run: _number(run.lag, ",.0f", 1000)),
    ("probe p50, ms", _probe(50.0)),
    ("probe p99, ms", _probe(99.0)),
    ("lost bytes", lambda run: _number(run.lost, ",.0f")),
)
"""The rows of the table: the name of each metric, and how its value is formatted."""


def comparison_table(runs: Sequence[RunResult], title: str) -> Table:
    """Make the table of ``runs``."""
    table = Table(title=cell(title, "table.title"))
    table.add_column("")
    for run in runs:
        table.add_column(cell(run.name), justify="right")
    for name, format_metric in ROWS:
        table.add_row(name, *(cell(format_metric(run)) for run in runs))
    return table
