"""PURE. What the load client of a server tells, as texts: its counters, and its latencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tlsdemo.reporting.latencies import NAMES, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.probe_result import PROBE
from tlsdemo.reporting.run_text import megabytes
from tlsdemo.reporting.sequence_diagram import duration

_PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0}
_NONE = "-"


class LoadFigures:
    """The figures of one load; ``latencies`` are the names of those that it will have.

    Attributes:
        failed: The clients' failures by cause.
    """

    def __init__(self, latencies: Iterable[str] = ()) -> None:
        self.failed: Mapping[str, int] = {}
        self._counted: dict[str, str] = {}
        self._measured = {name: self._texts(None, name) for name in latencies}

    def count(self, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Set what was counted, ``elapsed`` seconds after it began to connect."""
        self.failed = dict(counters.failed)
        self._counted = {
            "phase": phase,
            "seconds": f"{elapsed:,.1f}",
            "clients secured": f"{counters.secured:,}",
            "clients failed": f"{counters.failures:,}",
            "packets sent": f"{counters.packets:,}",
            "cleartext sent": megabytes(counters.sent),
        }

    def measure(self, latencies: Latencies) -> None:
        """Set what was measured so far."""
        for name in NAMES:
            if latencies.count(name):
                self._measured[name] = self._texts(latencies, name)

    def probe(self, latencies: Latencies, name: str) -> None:
        """Set what the probe has measured so far: the latency ``name``."""
        if latencies.count(name):
            self._measured[PROBE] = self._texts(latencies, name)

    def _texts(self, latencies: Latencies | None, name: str) -> dict[str, str]:
        if latencies is None:
            return {"measured": "0", **dict.fromkeys(_PERCENTILES, _NONE)}
        values = latencies.values_at(name, list(_PERCENTILES.values()))
        percentiles = {
            label: duration(value) for label, value in zip(_PERCENTILES, values, strict=True)
        }
        return {"measured": f"{latencies.count(name):,}", **percentiles}

    def groups(self) -> dict[str, dict[str, str]]:
        """Return the groups of the figures: name and label of each."""
        groups = {"Clients": {name: name for name in self._counted}} if self._counted else {}
        for latency in [*NAMES, PROBE]:
            if latency in self._measured:
                labels = self._measured[latency]
                groups[latency.capitalize()] = {f"{latency} {label}": label for label in labels}
        return groups

    def texts(self) -> dict[str, str]:
        """Return the figures by name."""
        return {
            **self._counted,
            **{
                f"{latency} {label}": text
                for latency, texts in self._measured.items()
                for label, text in texts.items()
            },
        }
