"""What came of a load: its figures on both ends, and what can be told from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.snapshot import MEGABYTE, Snapshot


@dataclass(frozen=True)
class Phases:
    """The server's figures as the run went on.

    ``began``: before the first connection; ``secured``: once all were; ``drained``: at the end.
    """

    began: Snapshot
    secured: Snapshot
    drained: Snapshot


@dataclass(frozen=True)
class RunResult:
    """One run.  ``connections`` were asked for; ``counters`` is what the client's end counted.

    ``securing`` and ``sending``: seconds until all were secured, and of sending and draining.
    ``arrived``: bytes that the sink (or the backend) got of this run, ``None`` if it is not
    known.  ``phases``: the server's figures, ``None`` if it offers none.  ``problem``: why the
    run could not go to its end, in one line.
    """

    name: str
    connections: int
    counters: LoadCounters
    securing: float
    sending: float
    arrived: int | None = None
    phases: Phases | None = None
    problem: str | None = None

    @property
    def lost(self) -> int | None:
        """Bytes that were sent and did not arrive; ``None`` if it is not known."""
        return None if self.arrived is None else self.counters.sent - self.arrived

    @property
    def complete(self) -> bool:
        """Whether every connection was secured and ended in order."""
        return self.problem is None and self.counters.clean == self.connections

    @property
    def rate(self) -> float:
        """TLSStream sent, in MB a second of sending and draining; 0 if there was none."""
        return self.counters.sent / MEGABYTE / self.sending if self.sending else 0.0

    @property
    def cpu_per_megabyte(self) -> float | None:
        """Seconds of the server's CPU for each MB of cleartext; ``None`` if it is not known."""
        if self.phases is None:
            return None
        spent = self.phases.drained.since(self.phases.secured)
        return spent.cpu * MEGABYTE / spent.proxied if spent.proxied else None

    @property
    def cpu_per_connection(self) -> float | None:
        """Seconds of the server's CPU to accept and secure one; ``None`` if it is not known."""
        if self.phases is None:
            return None
        spent = self.phases.secured.since(self.phases.began)
        return spent.cpu / spent.opened if spent.opened else None

    @property
    def served(self) -> Snapshot | None:
        """The server's figures of the whole run."""
        return None if self.phases is None else self.phases.drained.since(self.phases.began)

    @property
    def lag(self) -> float | None:
        """The server's greatest lag during the run, in seconds."""
        if self.phases is None:
            return None
        return max(self.phases.secured.lag, self.phases.drained.lag)

    def as_json(self) -> dict[str, Any]:
        """Return all figures as plain values that JSON can carry."""
        served = self.served
        figures: Mapping[str, Any] = {
            "mode": self.name,
            "connections": self.connections,
            "secured": self.counters.secured,
            "failed": dict(self.counters.failed),
            "seconds_until_secured": self.securing,
            "seconds_sending": self.sending,
            "packets": self.counters.packets,
            "sent": self.counters.sent,
            "arrived": self.arrived,
            "lost": self.lost,
            "megabytes_per_second": self.rate,
            "events": served and served.events,
            "bytes_per_event": served and served.bytes_per_event,
            "records_per_event": served and served.records_per_event,
            "server_cpu_seconds_per_megabyte": self.cpu_per_megabyte,
            "server_cpu_seconds_per_connection": self.cpu_per_connection,
            "server_greatest_lag_seconds": self.lag,
            "server_failed": served and dict(served.failed),
            "problem": self.problem,
        }
        return dict(figures)
