"""The metrics of a server, in the formats of Prometheus and of OpenMetrics.

The counters are kept by the server anyway, and read when somebody asks, so nothing is done for each
record.  Everything is read and written in the reactor's thread: prometheus_client's own resource
for Twisted does it in another, where the counters could change meanwhile.

No label has a value that a peer has chosen: modes, dialects and causes are ours, versions and
groups are OpenSSL's.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from tlsdemo import __version__
from tlsdemo.close_reasons import Cause
from tlsdemo.metrics.figures import OTHER, Figures
from tlsdemo.metrics.histogram import Histogram
from tlsdemo.metrics.server_figures import ServerKind
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import versions

_SERVER = ("mode", "dialect")
_WORKER = (*_SERVER, "worker")

_OPENMETRICS = "application/openmetrics-text"


class Source(typing.Protocol):
    """Where the metrics of a server come from, be it one process or several."""

    kind: ServerKind

    def snapshot(self) -> Snapshot:
        """Return the counters."""

    def figures(self) -> Figures:
        """Return what is measured beside the counters."""

    def lags(self) -> Mapping[str, Histogram]:
        """Return the histogram of the lag of each worker, by its number."""


class ServerCollector(Collector):
    """Makes the metrics of one server from ``source`` each time they are collected."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._server = (source.kind.mode, source.kind.dialect)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        now, figures = self._source.snapshot(), self._source.figures()
        software = {name.lower(): version for name, version in versions().items()}
        yield InfoMetricFamily(
            "tlsdemo_build", "Versions of the software.", {"tlsdemo": __version__, **software}
        )
        yield from self._connections(now, figures)
        yield self._handshakes(figures)
        yield self._histogram(
            "tlsdemo_handshake_duration_seconds",
            "Time from the switch to TLS until a connection was secure.",
            figures.handshakes,
        )
        yield self._histogram(
            "tlsdemo_upgrade_duration_seconds",
            "Time from the beginning of a connection to the switch to TLS.",
            figures.upgrades,
        )
        yield from self._cleartext(now)
        lags = HistogramMetricFamily(
            "tlsdemo_reactor_lag_seconds",
            "How late the reactor made a call that it had to make every 50 ms.",
            labels=_WORKER,
        )
        for worker, lag in self._source.lags().items():
            lags.add_metric((*self._server, worker), lag.cumulative(), lag.sum)
        yield lags

    def _connections(self, now: Snapshot, figures: Figures) -> Iterator[Metric]:
        yield self._counter("tlsdemo_connections", "Connections accepted.", now.opened)
        states = GaugeMetricFamily(
            "tlsdemo_open_connections", "Open connections.", labels=(*_SERVER, "state")
        )
        for state, number in figures.states.items():
            states.add_metric((*self._server, state), number)
        yield states
        ends = CounterMetricFamily(
            "tlsdemo_connection_ends",
            "Connections that have ended or were turned away, by cause.",
            labels=(*_SERVER, "cause"),
        )
        known = {Cause.CLEAN.value: now.clean, Cause.PROBE.value: now.probes, **now.failed}
        for cause in Cause:
            ends.add_metric((*self._server, cause.value), known.get(cause.value, 0))
        yield ends

    def _handshakes(self, figures: Figures) -> Metric:
        kind = self._source.kind
        handshakes = CounterMetricFamily(
            "tlsdemo_handshakes",
            "Connections secured; those of a server for both that began with TLS have the dialect "
            "immediate.",
            labels=(*_SERVER, "version", "group"),
        )
        totals: dict[tuple[str, ...], int] = {}
        for agreed, number in figures.agreed.items():
            at_once = kind.auto and not agreed.upgraded and agreed != OTHER
            dialect = "immediate" if at_once else kind.dialect
            labels = (kind.mode, dialect, agreed.version, agreed.group)
            totals[labels] = totals.get(labels, 0) + number
        for each, total in totals.items():
            handshakes.add_metric(each, total)
        return handshakes

    def _cleartext(self, now: Snapshot) -> Iterator[Metric]:
        for name, text, value in (
            ("received_bytes", "Bytes of cleartext from the clients.", now.bytes_in),
            ("sent_bytes", "Bytes of cleartext to the clients.", now.bytes_out),
            ("received_records", "TLS records of application data received.", now.records),
            ("received_events", "Calls of the application's dataReceived.", now.events),
            ("sink_received_bytes", "Bytes received by the embedded sink.", now.sink_received),
        ):
            if value is not None:
                yield self._counter(f"tlsdemo_{name}", text, value)

    def _counter(self, name: str, text: str, value: int) -> Metric:
        family = CounterMetricFamily(name, text, labels=_SERVER)
        family.add_metric(self._server, value)
        return family

    def _histogram(self, name: str, text: str, histogram: Histogram) -> Metric:
        family = HistogramMetricFamily(name, text, labels=_SERVER)
        family.add_metric(self._server, histogram.cumulative(), histogram.sum)
        return family


def registry_of(source: Source, *more: Collector) -> CollectorRegistry:
    """Return a registry with the metrics of a server, of its process and of Python."""
    registry = CollectorRegistry()
    for each in (ServerCollector(source), *more):
        registry.register(each)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the metrics as text and its content type, for a header ``Accept``."""
    # Only whether it names OpenMetrics: prometheus_client fails for versions that are no numbers.
    encode, content_type = choose_encoder(_OPENMETRICS if _OPENMETRICS in accept else "")
    return encode(registry), content_type
