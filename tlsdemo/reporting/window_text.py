"""PURE.  The measurements of a load as text: latencies, rates, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator

from tlsdemo.reporting.latencies import CAN_MEASURE, HANDSHAKE, NAMES, Latencies
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.window_result import WindowResult


def latency_lines(latencies: Latencies) -> Iterator[str]:
    """Return a line for each latency that was measured, and for each kind if there are several."""
    for name in NAMES:
        kinds = latencies.kinds(name)
        for shown in [name, *(f"{name}/{kind}" for kind in kinds if len(kinds) > 1)]:
            found = latencies.percentiles(shown)
            if found is not None:
                values = [
                    f"{label} {value * 1000:,.2f}"
                    for label, value in (
                        ("p50", found.p50),
                        ("p90", found.p90),
                        ("p99", found.p99),
                        ("p99.9", found.p999),
                        ("max", found.max),
                    )
                ]
                title = shown.replace("/", " ")
                yield f"{title}: {', '.join(values)} ms ({found.count:,} measured)"


def rate_line(window: WindowResult, unit: str) -> str:
    """Return what was due and done, in an open or a closed loop."""
    done = f"{window.done:,} {unit} done in {window.seconds:.2f} s, {window.done_per_second:,.1f}/s"
    late = f", {window.unfinished:,} unfinished" if window.unfinished else ""
    if not window.rate:
        return f"closed loop: {done}{late}"
    return (
        f"open loop at {window.rate:,.6g}/s: {done}, "
        f"{window.counters.missed:,} not started in time{late}"
    )


def load_lines(result: RunResult) -> Iterator[str]:
    """Return the lines about latencies and rates, window by window."""
    unit = result.unit
    if not result.windows:
        return
    if not CAN_MEASURE:
        yield "latencies are not measured: pip install 'tlsdemo[load]'"
        return
    groups = ", ".join(
        f"{group} {count}" for group, count in sorted(result.counters.groups.items())
    )
    if groups:
        handshakes = sum(result.counters.groups.values())
        resumed = result.counters.resumed
        yield (
            f"groups: {groups}; resumed {resumed} of {handshakes} handshakes"
            f" ({resumed / handshakes:.0%})"
        )
    if result.counters.without_end:
        yield f"{result.counters.without_end} were closed by the server without close_notify"
    if result.opening is not None and result.opening.latencies.count(HANDSHAKE):
        yield "before the load:"
        for line in latency_lines(result.opening.latencies):
            yield f"  {line}"
        for warning in result.opening.warnings():
            yield f"warning: {warning}"
    for window in result.windows:
        if window.done or window.rate:
            yield rate_line(window, unit)
        for line in latency_lines(window.latencies):
            yield f"  {line}"
        for warning in window.warnings():
            yield f"warning: {warning}"
    if result.found:
        yield f"greatest rate that holds: {result.found:,.6g} {unit} per second"
