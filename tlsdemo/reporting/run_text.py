"""PURE.  Counters and metrics as text: the lines that both logs and terminals show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import MEGABYTE, Snapshot
from tlsdemo.reporting.window_text import load_lines


def megabytes(count: float) -> str:
    """Return a number of bytes as text, in MB (10^6 bytes) from 10,000 on."""
    if count < 10_000:
        return f"{count:,.0f} bytes"
    return f"{count / MEGABYTE:,.2f} MB"


def versions_text(versions: Mapping[str, str]) -> str:
    """Return the names and versions of libraries in one line."""
    # OpenSSL's version text begins with its name.
    return ", ".join(
        text if text.startswith(name) else f"{name} {text}" for name, text in versions.items()
    )


def failures_text(snapshot: Snapshot) -> str:
    """Return the number of failed connections, with the close reasons, and of probes if any."""
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(snapshot.failed.items()))
    probes = f", probes {snapshot.probes}" if snapshot.probes else ""
    return f"failed {snapshot.failures}{f' ({causes})' if causes else ''}{probes}"


def events_text(snapshot: Snapshot) -> str:
    """Return the number of events, and the average size of one."""
    return (
        f"{snapshot.events:,} events, {snapshot.bytes_per_event:,.1f} bytes "
        f"and {snapshot.records_per_event:,.1f} records an event"
    )


def statistics_line(now: Snapshot, lately: Snapshot) -> str:
    """Return a running server's statistics; ``lately`` is the increase in the last interval."""
    rate = lately.proxied / MEGABYTE / lately.at if lately.at else 0.0
    sink = "" if now.sink_received is None else f", sink received {megabytes(now.sink_received)}"
    return (
        f"open {now.open}, secured {now.secured}, {failures_text(now)}; "
        f"cleartext {megabytes(now.proxied)} at {rate:,.2f} MB/s{sink}; "
        f"{events_text(lately)}; greatest lag {now.lag * 1000:.0f} ms"
    )


def run_line(name: str, sent: int, received: int) -> str:
    """Return the line about the bytes of a run that both ends print."""
    return f"run {name}: sent {sent:,}, received {received:,}, lost {sent - received:,} bytes"


def summary_lines(total: Snapshot, open_at_stop: int, lag: float) -> Iterator[str]:
    """Return the lines that a server logs when it stops."""
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


def probe_line(probe: ProbeResult) -> str:
    """Return the line about how long messages took through the server under load."""
    times = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
    found = {label: probe.at(percentile) for label, percentile in times.items()}
    values = [f"{label} {time * 1000:,.2f}" for label, time in found.items() if time is not None]
    lost = f", {probe.unanswered:,} without an answer" if probe.unanswered else ""
    late = "" if probe.lag is None else f"; the probe itself was {probe.lag * 1000:,.1f} ms late"
    few = "less than half came back" if probe.measured else "no message came back"
    seen = f"{', '.join(values)} ms" if values else few
    return f"probe, {probe.rate:g} messages/s: {seen} ({probe.measured:,} measured{lost}{late})"


def cost_line(result: RunResult) -> str:
    """Return the line about the server's CPU time in a run."""
    per_megabyte, per_connection = result.cpu_per_megabyte, result.cpu_per_connection
    costs = [
        *([] if per_megabyte is None else [f"{per_megabyte * 1000:,.1f} ms a MB"]),
        *([] if per_connection is None else [f"{per_connection * 1000:,.2f} ms a connection"]),
    ]
    return f"server CPU {', '.join(costs) or 'unknown'}"


def result_lines(result: RunResult) -> Iterator[str]:
    """Return the lines that the client prints at the end of a run."""
    counters = result.counters
    # The clients count what can carry their bytes.
    secured = "secured" if result.encrypted else "connected in the clear"
    if result.opened_first == 0:
        at_a_time, took = " at a time", ""
    else:
        at_a_time, took = "", f" in {result.securing:.2f} s"
    causes = ", ".join(f"{cause} {count}" for cause, count in sorted(counters.failed.items()))
    yield (
        f"{result.connections} connections{at_a_time}: {counters.secured} {secured}{took}, "
        f"{counters.failures} failed{f' ({causes})' if causes else ''}, "
        f"{counters.clean} ended in order"
    )
    for cause, detail in sorted(counters.details.items()):
        count = counters.failed.get(cause, 0)
        yield f"{cause}{f', the first of {count}' if count > 1 else ''}: {detail}"
    # Of connections that send nothing, there is nothing to say.
    sends = bool(counters.sent) or result.opened_first != 0
    if sends:
        yield (
            f"{counters.packets:,} packets, {megabytes(counters.sent)} in {result.sending:.2f} s, "
            f"{result.rate:,.2f} MB/s"
        )
    yield from load_lines(result)
    if result.probe is not None:
        yield probe_line(result.probe)
    if result.server is not None:
        yield f"server: {events_text(result.server)}"
    if result.arrived is None:
        if sends:
            yield f"run {result.name}: sent {counters.sent:,}, received not known"
    else:
        yield run_line(result.name, counters.sent, result.arrived)
    if result.problem is not None:
        yield f"problem: {result.problem}"
