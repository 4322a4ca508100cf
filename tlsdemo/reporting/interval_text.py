"""The last interval of a load as text: rates, percentiles, failures, workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import NAMES
from tlsdemo.reporting.snapshot import MEGABYTE
from tlsdemo.reporting.terminal import cell
from tlsdemo.reporting.window_result import WorkerLoad

MOST_WORKERS = 4
"""Workers up to which each is shown."""

MOST_CAUSES = 3
"""Causes of failures that are shown."""


def rate_texts(interval: Interval) -> list[str]:
    """Return what is done per second, of which there was any."""
    counters = interval.counters
    counts = {
        "handshakes": counters.secured,
        "answers": counters.answered,
        "packets": counters.packets if counters.packets != counters.answered else 0,
        "not in time": counters.missed,
    }
    rates = [f"{interval.per_second(n):,.0f} {name}/s" for name, n in counts.items() if n]
    return [*rates, f"{interval.per_second(counters.sent) / MEGABYTE:,.2f} MB/s"]


def failures_text(failed: Mapping[str, int]) -> str:
    """Return the failures by cause, the most frequent first."""
    causes = sorted(failed.items(), key=lambda each: -each[1])
    some = [f"{cause} {count:,}" for cause, count in causes[:MOST_CAUSES]]
    more = len(causes) - MOST_CAUSES
    return ", ".join([*some, *([f"{more} more causes"] if more > 0 else [])])


def workers_text(workers: Sequence[WorkerLoad]) -> str:
    """Return how busy the workers were: each, or the range of many."""
    if len(workers) <= MOST_WORKERS:
        return "; ".join(f"{each.cpu:.0%} CPU{_late(each.lag)}" for each in workers)
    cpus = [each.cpu for each in workers]
    lag = max((each.lag or 0.0 for each in workers), default=None)
    return f"{len(workers)}, {min(cpus):.0%} to {max(cpus):.0%} CPU{_late(lag)}"


def _late(lag: float | None) -> str:
    return "" if lag is None else f", {lag * 1000:,.1f} ms late"


def interval_table(interval: Interval, failed: Mapping[str, int]) -> Table:
    """Return the rows that stand under the line of progress; ``failed`` is since the beginning."""
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    due = [f"{interval.rate:,.6g} due/s"] if interval.rate else []
    table.add_row("last second", cell(", ".join([*rate_texts(interval), *due])))
    for name in NAMES:
        found = interval.latencies.get(name)
        if found is not None:
            values = (found.p50, found.p90, found.p99, found.max)
            columns = [f"{value * 1000:>9,.2f}" for value in values]
            text = "  ".join(
                f"{label}{value}"
                for label, value in zip(("p50", "p90", "p99", "max"), columns, strict=True)
            )
            table.add_row(cell(name), cell(f"{text} ms"))
    if failed:
        table.add_row("failed", cell(failures_text(failed), "red"))
    if interval.workers:
        table.add_row("workers", cell(workers_text(interval.workers)))
    return table
