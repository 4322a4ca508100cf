"""Figures in words: the lines that logs and terminals show alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import MEGABYTE, Snapshot


def megabytes(count: float) -> str:
    """Write a number of bytes in MB (10^6 bytes), or in bytes if there are few."""
    if count < 10_000:
        return f"{count:,.0f} bytes"
    return f"{count / MEGABYTE:,.2f} MB"


def versions_text(versions: Mapping[str, str]) -> str:
    """Write the versions of several libraries, each by its name."""
    # OpenSSL says its name itself.
    return ", ".join(
        text if text.startswith(name) else f"{name} {text}" for name, text in versions.items()
    )


def failures_text(snapshot: Snapshot) -> str:
    """Write how many failed, and by which causes."""
    if not snapshot.failed:
        return "failed 0"
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(snapshot.failed.items()))
    return f"failed {snapshot.failures} ({causes})"


def events_text(snapshot: Snapshot) -> str:
    """Write the events, and what one brought on average."""
    return (
        f"{snapshot.events:,} events, {snapshot.bytes_per_event:,.1f} bytes "
        f"and {snapshot.records_per_event:,.1f} records an event"
    )


def statistics_line(now: Snapshot, lately: Snapshot) -> str:
    """Write one line of a running server: totals of connections, and what came lately."""
    rate = lately.proxied / MEGABYTE / lately.at if lately.at else 0.0
    sink = "" if now.sink_received is None else f", sink received {megabytes(now.sink_received)}"
    return (
        f"open {now.open}, secured {now.secured}, {failures_text(now)}; "
        f"cleartext {megabytes(now.proxied)} at {rate:,.2f} MB/s{sink}; "
        f"{events_text(lately)}; greatest lag {now.lag * 1000:.0f} ms"
    )


def run_line(name: str, sent: int, received: int) -> str:
    """Write what became of one run's bytes, as both ends print it."""
    return f"run {name}: sent {sent:,}, received {received:,}, lost {sent - received:,} bytes"


def summary_lines(total: Snapshot, open_at_stop: int, lag: float) -> Iterator[str]:
    """Write what a server has done, at its end."""
    yield (
        f"summary: {total.opened} connections, {total.secured} secured, {total.clean} ended in "
        f"order, {failures_text(total)}, {open_at_stop} open when it was stopped"
    )
    sink = (
        "" if total.sink_received is None else f", sink received {megabytes(total.sink_received)}"
    )
    yield (
        f"summary: cleartext {megabytes(total.bytes_in)} in, {megabytes(total.bytes_out)} out{sink}"
    )
    yield f"summary: {events_text(total)}; greatest lag {lag * 1000:.0f} ms, CPU {total.cpu:.2f} s"


def cost_line(result: RunResult) -> str:
    """Write what a run cost the server."""
    per_megabyte, per_connection = result.cpu_per_megabyte, result.cpu_per_connection
    costs = [
        *([] if per_megabyte is None else [f"{per_megabyte * 1000:,.1f} ms a MB"]),
        *([] if per_connection is None else [f"{per_connection * 1000:,.2f} ms a connection"]),
    ]
    return f"server CPU {', '.join(costs) or 'not known'}"


def result_lines(result: RunResult) -> Iterator[str]:
    """Write what came of one run, as the client prints it at its end."""
    counters = result.counters
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(counters.failed.items()))
    yield (
        f"{result.connections} connections: {counters.secured} secured in {result.securing:.2f} s, "
        f"{counters.failures} failed{f' ({causes})' if causes else ''}, "
        f"{counters.clean} ended in order"
    )
    yield (
        f"{counters.packets:,} packets, {megabytes(counters.sent)} in {result.sending:.2f} s, "
        f"{result.rate:,.2f} MB/s"
    )
    if result.served is not None:
        yield f"server: {events_text(result.served)}"
    if result.arrived is None:
        yield f"run {result.name}: sent {counters.sent:,}, received not known"
    else:
        yield run_line(result.name, counters.sent, result.arrived)
    if result.problem is not None:
        yield f"problem: {result.problem}"
