"""PURE.  The charts of a load's page: what is drawn over what, as plain values for the script."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import NAMES, Percentiles
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import MEGABYTE
from tlsdemo.reporting.window_result import WindowResult

MOST_LINES = 5
"""Lines of one chart; more could not be told apart."""

POINTS_PER_DECADE = 20
"""Points of a distribution from one nine to the next."""

_TO_THE_MAXIMUM = math.log10(2)
"""Half the share of a single value: beyond it there is only the maximum."""


@dataclass(frozen=True)
class Line:
    """One line of a chart: a value for each point of its x axis, or ``None``."""

    label: str
    values: list[float | None]


@dataclass(frozen=True)
class Chart:
    """One chart.

    ``kind``: ``percentiles``, whose x is log10(1 / (1 - share)), or ``time``, whose x is seconds.
    ``unit``: that of its values, empty for numbers.
    """

    title: str
    kind: str
    unit: str
    x: list[float]
    lines: list[Line]

    def as_json(self) -> dict[str, Any]:
        """Return the fields for the script."""
        return asdict(self)


def labelled_windows(runs: Mapping[str, RunResult]) -> list[tuple[str, WindowResult]]:
    """Return the windows of all runs, with what tells them apart; ``runs`` are by their titles."""
    found = []
    for title, run in runs.items():
        windows = [*([] if run.opening is None else [run.opening]), *run.windows]
        for window in windows:
            name = f"{window.rate:,.6g}/s" if window.rate else "closed loop"
            if window.number == 0:
                name = "before the load"
            elif len(run.windows) > 1:
                name = f"{window.number}. {name}"
            found.append((f"{title}, {name}" if len(runs) > 1 else name, window))
    return found


def distribution_charts(windows: Sequence[tuple[str, WindowResult]]) -> Iterator[Chart]:
    """Return a chart for each latency that was measured, with a line for each window.

    If there are too many for a chart, some are chosen, evenly, the first and the last among them.
    """
    for name in NAMES:
        measured = [each for each in windows if each[1].latencies.count(name)]
        if not measured:
            continue
        step = max(1.0, (len(measured) - 1) / (MOST_LINES - 1))
        numbers = [round(step * index) for index in range(min(MOST_LINES, len(measured)))]
        chosen = [measured[number] for number in numbers]
        longest = max(math.log10(each.latencies.count(name)) for _, each in chosen)
        points = math.ceil((longest + _TO_THE_MAXIMUM) * POINTS_PER_DECADE) + 1
        x = [point / POINTS_PER_DECADE for point in range(points)]
        lines = [Line(label, _distribution(each, name, x)) for label, each in chosen]
        yield Chart(f"{name[0].upper()}{name[1:]}", "percentiles", "ms", x, lines)


def _distribution(window: WindowResult, name: str, x: Sequence[float]) -> list[float | None]:
    last = math.log10(window.latencies.count(name)) + _TO_THE_MAXIMUM + 1 / POINTS_PER_DECADE
    shares = [100 * (1 - 10**-each) for each in x if each <= last]
    found = [_rounded(each * 1000) for each in window.latencies.values_at(name, shares)]
    return [*found, *[None] * (len(x) - len(found))]


def course_charts(runs: Mapping[str, RunResult]) -> Iterator[Chart]:
    """Return the charts over time: of one run all that was measured, of several side by side."""
    courses = {title: run.intervals for title, run in runs.items() if run.intervals}
    if len(courses) == 1:
        (intervals,) = courses.values()
        yield from _course(intervals)
    elif courses:
        yield from _side_by_side(dict([*courses.items()][:MOST_LINES]))


_Read = Callable[[Interval], float | None]

_WORK: Mapping[str, _Read] = {
    "due": lambda each: each.rate or None,
    "handshakes": lambda each: each.per_second(each.counters.secured),
    "answers": lambda each: each.per_second(each.counters.answered),
    "packets": lambda each: each.per_second(each.counters.packets),
    "not started in time": lambda each: each.per_second(each.counters.missed),
}

_TRAFFIC: Mapping[str, _Read] = {
    "sent": lambda each: each.per_second(each.counters.sent) / MEGABYTE,
    "received": lambda each: each.per_second(each.counters.received) / MEGABYTE,
}


def _course(intervals: Sequence[Interval]) -> Iterator[Chart]:
    yield from _chart("Work a second", "", intervals, _WORK)
    name = main_latency(intervals)
    if name is not None:
        yield from _chart(
            f"{name[0].upper()}{name[1:]}", "ms", intervals,
            {
                "median": _latency(name, lambda found: found.p50),
                "p99": _latency(name, lambda found: found.p99),
                "max": _latency(name, lambda found: found.max),
            },
        )  # fmt: skip
    yield from _chart("Cleartext, MB a second", "", intervals, _TRAFFIC)
    failed = sorted({cause for each in intervals for cause in each.counters.failed})
    yield from _chart(
        "Failures a second", "", intervals,
        {cause: _failures(cause) for cause in failed[:MOST_LINES]},
    )  # fmt: skip
    yield from _chart(
        "The busiest worker: CPU, %", "", intervals,
        {"CPU": lambda each: 100 * max((load.cpu for load in each.workers), default=0.0)},
    )  # fmt: skip


def _side_by_side(courses: Mapping[str, Sequence[Interval]]) -> Iterator[Chart]:
    every = [each for intervals in courses.values() for each in intervals]
    name = main_latency(every)
    figures: dict[str, tuple[str, _Read]] = {
        "Handshakes a second": ("", _WORK["handshakes"]),
        "Answers a second": ("", _WORK["answers"]),
        "Cleartext sent, MB a second": ("", _TRAFFIC["sent"]),
        "Failures a second": ("", lambda each: each.per_second(each.counters.failures)),
    }
    if name is not None:
        figures[f"p99 of {name}"] = ("ms", _latency(name, lambda found: found.p99))
    for title, (unit, read) in figures.items():
        values = {label: [read(each) for each in intervals] for label, intervals in courses.items()}
        if any(any(each) for each in values.values()):
            # The script aligns what is on a grid; each run has its own points.
            x = sorted({round(each.at, 2) for each in every})
            at = {
                label: [round(each.at, 2) for each in course] for label, course in courses.items()
            }
            lines = []
            for label, found in values.items():
                known = dict(zip(at[label], found, strict=True))
                lines.append(Line(label, [_rounded(known.get(each)) for each in x]))
            yield Chart(title, "time", unit, x, lines)


def _latency(name: str, read: Callable[[Percentiles], float]) -> _Read:
    return lambda each: read(each.latencies[name]) * 1000 if name in each.latencies else None


def _failures(cause: str) -> _Read:
    return lambda each: each.per_second(each.counters.failed.get(cause, 0))


def _chart(
    title: str, unit: str, intervals: Sequence[Interval], figures: Mapping[str, _Read]
) -> Iterator[Chart]:
    """Return a chart of the figures that are ever above 0, if there are any."""
    found = {label: [_rounded(read(each)) for each in intervals] for label, read in figures.items()}
    lines = [Line(label, values) for label, values in found.items() if any(values)]
    if lines:
        yield Chart(title, "time", unit, [round(each.at, 2) for each in intervals], lines)


def main_latency(intervals: Sequence[Interval]) -> str | None:
    """Return the latency that was measured most often, the last in the order of a connection."""
    counts = {
        name: sum(each.latencies[name].count for each in intervals if name in each.latencies)
        for name in NAMES
    }
    most = max(counts.values())
    return next(name for name in reversed(NAMES) if counts[name] == most) if most else None


def _rounded(value: float | None) -> float | None:
    """Return 4 digits, of which no chart shows more."""
    return None if value is None else float(f"{value:.4g}")
