"""PURE. The figures of one server over time, and as texts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from tlsdemo.metrics.reading import Reading
from tlsdemo.reporting.run_text import megabytes
from tlsdemo.reporting.sequence_diagram import duration
from tlsdemo.reporting.snapshot import MEGABYTE, Snapshot
from tlsdemo.web.load_figures import LoadFigures

MOST_POINTS = 600
"""Points that are kept: of five minutes, at two a second."""

COLUMNS = (
    *("at", "negotiating", "handshake", "open", "closing", "draining"),
    *("handshakes", "failures", "received", "sent", "events", "bytes_per_event", "lag"),
)
"""What a point consists of: seconds since the first, states, amounts a second; lag in ms."""

_STATES = COLUMNS[1:6]

FIGURES: Mapping[str, Mapping[str, str]] = {
    "Connections now": {
        "negotiating": "negotiating in plaintext",
        "handshake": "in the handshake",
        "open": "open",
        "closing": "closing",
        "draining": "draining to the backend",
    },
    "Connections so far": {
        "opened": "accepted",
        "secured": "secured",
        "clean": "ended in order",
        "probes": "gone without a word",
        "failures": "failed",
    },
    "Handshakes": {
        "handshakes_a_second": "a second",
        "failures_a_second": "failures a second",
        "median": "half took at most",
        "slowest": "99 in 100 took at most",
    },
    "Cleartext": {
        "bytes_in": "received",
        "bytes_out": "sent",
        "received_a_second": "received a second",
        "sent_a_second": "sent a second",
    },
    "Events": {
        "events": "events",
        "records": "TLS records",
        "bytes_per_event": "bytes an event",
        "records_per_event": "records an event",
        "events_a_second": "events a second",
    },
    "Server": {"cpu": "CPU, of one core", "lag": "greatest lag of the reactor"},
}
"""The figures in the table, by group: name and label."""


def quantile(bounds: Sequence[float], counts: Sequence[int], part: float) -> float | None:
    """Return the bound that ``part`` of the values are within; ``None`` without values.

    Values beyond all bounds count as infinite.
    """
    total = sum(counts)
    if not total:
        return None
    reached = accumulate(counts)
    for bound, number in zip(bounds, reached, strict=False):
        if number >= part * total:
            return bound
    return float("inf")


class LiveSeries:
    """The figures of one server called ``name``; ``bounds`` are those of its handshakes' histogram.

    Attributes:
        load: What its load client tells of itself; empty without one.
    """

    def __init__(self, name: str, bounds: Sequence[float]) -> None:
        self.name = name
        self.load = LoadFigures()
        self._bounds = bounds
        self._points: deque[tuple[float, ...]] = deque(maxlen=MOST_POINTS)
        self._began: float | None = None
        self._latest = Reading(Snapshot())
        self._lately = Snapshot()

    @property
    def latest(self) -> Reading:
        """The latest reading."""
        return self._latest

    @property
    def point(self) -> tuple[float, ...] | None:
        """The latest point, in the order of `COLUMNS`; ``None`` before the second reading."""
        return self._points[-1] if self._points else None

    def add(self, reading: Reading) -> None:
        """Add the next reading; one of the same moment as the last is ignored."""
        now = reading.snapshot
        if self._began is None:
            self._began = now.at
            self._latest = reading
            return
        if now.at <= self._latest.snapshot.at:
            return
        self._lately = lately = now.since(self._latest.snapshot)
        self._latest = reading
        rates = (lately.secured, lately.failures, lately.bytes_in, lately.bytes_out, lately.events)
        self._points.append(
            (
                round(now.at - self._began, 2),
                *(reading.states.get(state, 0) for state in _STATES),
                *(round(each / lately.at, 1) for each in rates),
                round(lately.bytes_per_event, 1),
                round(now.lag * 1000, 1),
            )
        )

    def history(self) -> dict[str, list[float]]:
        """Return all points, as a list for each column."""
        columns = zip(*self._points, strict=True) if self._points else [()] * len(COLUMNS)
        return {name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}

    def texts(self) -> dict[str, str]:
        """Return the figures as texts, by their names in `FIGURES`."""
        now, lately = self._latest.snapshot, self._lately
        counts = self._latest.handshakes

        def a_second(number: float) -> float:
            return number / lately.at if lately.at else 0.0

        return {
            **{state: f"{self._latest.states.get(state, 0):,}" for state in _STATES},
            **{
                name: f"{getattr(now, name):,}"
                for name in (
                    "opened",
                    "secured",
                    "clean",
                    "probes",
                    "failures",
                    "events",
                    "records",
                )
            },
            "handshakes_a_second": f"{a_second(lately.secured):,.1f}",
            "failures_a_second": f"{a_second(lately.failures):,.1f}",
            "median": self._bound(quantile(self._bounds, counts, 0.5)),
            "slowest": self._bound(quantile(self._bounds, counts, 0.99)),
            "bytes_in": megabytes(now.bytes_in),
            "bytes_out": megabytes(now.bytes_out),
            "received_a_second": f"{a_second(lately.bytes_in) / MEGABYTE:,.2f} MB",
            "sent_a_second": f"{a_second(lately.bytes_out) / MEGABYTE:,.2f} MB",
            "bytes_per_event": f"{lately.bytes_per_event:,.1f}",
            "records_per_event": f"{lately.records_per_event:,.1f}",
            "events_a_second": f"{a_second(lately.events):,.0f}",
            "cpu": f"{a_second(lately.cpu):.0%}",
            "lag": duration(now.lag),
        }

    def _bound(self, seconds: float | None) -> str:
        if seconds is None:
            return "-"
        if seconds == float("inf"):
            return f"over {duration(self._bounds[-1])}"
        return duration(seconds)

    def as_json(self) -> dict[str, Any]:
        """Return what a page draws at each moment."""
        return {
            "name": self.name,
            "point": self.point,
            "texts": self.texts(),
            "handshakes": list(self._latest.handshakes),
            "load": self.load.texts(),
        }


def failure_texts(series: Sequence[LiveSeries]) -> list[str]:
    """Return the failures so far, one text for each cause; those of load clients follow."""
    texts = [
        f"{each.name}, {cause}: {number:,}" if len(series) > 1 else f"{cause}: {number:,}"
        for each in series
        for cause, number in sorted(each.latest.snapshot.failed.items())
    ]
    texts += [
        f"{each.name}, clients: {cause}: {number:,}"
        for each in series
        for cause, number in sorted(each.load.failed.items())
    ]
    return texts or ["none so far"]
