"""The result of a load: the counters of both ends, and the metrics derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.snapshot import MEGABYTE, Snapshot
from tlsdemo.reporting.window_result import WindowResult


@dataclass(frozen=True)
class ServerSnapshots:
    """The server's counters at the ends of a run's phases.

    Attributes:
        started: Before the first connection.
        secured: When all connections were secured.
        drained: At the end, when the server had received everything.
    """

    started: Snapshot
    secured: Snapshot
    drained: Snapshot


@dataclass(frozen=True)
class RunResult:
    """The result of one run.

    Attributes:
        name: The mode, or the name that identifies the run to the server.
        connections: The requested number of connections, at a time.
        counters: The client's counters.
        securing: Seconds until all connections were secured.
        sending: Seconds of sending and draining.
        arrived: Bytes of this run that the sink (or the backend) received; ``None`` if unknown.
        snapshots: The server's counters; ``None`` if it does not offer them.
        problem: One line that says why the run was not completed.
        encrypted: Whether the connections had TLS.
        opened_first: How many of the connections had to be opened before the load, if not
            all.
        opening: What was measured while those were opened.
        windows: What was measured of the load, window by window.
        unit: What the rates of windows count.
        found: The greatest rate that held, 0 if none did, and ``None`` if that was not searched
            for.
        intervals: The course of the load.
        probe: What a probe measured meanwhile; ``None`` if there was none.
    """

    name: str
    connections: int
    counters: LoadCounters
    securing: float
    sending: float
    arrived: int | None = None
    snapshots: ServerSnapshots | None = None
    problem: str | None = None
    encrypted: bool = True
    opened_first: int | None = None
    opening: WindowResult | None = None
    windows: tuple[WindowResult, ...] = ()
    unit: str = "connections"
    found: float | None = None
    intervals: tuple[Interval, ...] = ()
    probe: ProbeResult | None = None

    @property
    def lost(self) -> int | None:
        """Bytes that were sent and did not arrive; ``None`` if unknown."""
        return None if self.arrived is None else self.counters.sent - self.arrived

    @property
    def complete(self) -> bool:
        """Whether there were as many connections as asked for, and all ended in order."""
        least = self.connections if self.opened_first is None else self.opened_first
        clean = self.counters.clean
        return self.problem is None and clean == self.counters.begun and clean >= max(1, least)

    @property
    def hopeless(self) -> str | None:
        """Why not a single connection was secured, in one line; ``None`` if one was."""
        counters = self.counters
        if counters.secured or counters.clean or not counters.failures:
            return None
        cause = max(counters.failed, key=lambda each: counters.failed[each])
        detail = counters.details.get(cause)
        return f"no connection was secured: {cause}{f': {detail}' if detail else ''}"

    @property
    def rate(self) -> float:
        """Cleartext sent, in MB per second of sending and draining."""
        return self.counters.sent / MEGABYTE / self.sending if self.sending else 0.0

    @property
    def cpu_per_megabyte(self) -> float | None:
        """The server's CPU seconds for each MB of cleartext; ``None`` if unknown."""
        if self.snapshots is None:
            return None
        spent = self.snapshots.drained.since(self.snapshots.secured)
        return spent.cpu * MEGABYTE / spent.proxied if spent.proxied else None

    @property
    def cpu_per_connection(self) -> float | None:
        """The server's CPU seconds to accept and secure a connection; ``None`` if unknown.

        If none was opened before the load, of a whole connection, with what it did.
        """
        if self.snapshots is None:
            return None
        end = self.snapshots.drained if self.opened_first == 0 else self.snapshots.secured
        spent = end.since(self.snapshots.started)
        return spent.cpu / spent.opened if spent.opened else None

    @property
    def server(self) -> Snapshot | None:
        """The increase of the server's counters during the whole run; ``None`` if unknown."""
        return (
            None if self.snapshots is None else self.snapshots.drained.since(self.snapshots.started)
        )

    @property
    def lag(self) -> float | None:
        """The longest delay of the server's reactor in seconds; ``None`` if unknown."""
        if self.snapshots is None:
            return None
        return max(self.snapshots.secured.lag, self.snapshots.drained.lag)

    def as_json(self) -> dict[str, Any]:
        """Return the counters and metrics for JSON."""
        server = self.server
        return {
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
            "events": server and server.events,
            "bytes_per_event": server and server.bytes_per_event,
            "records_per_event": server and server.records_per_event,
            "server_cpu_seconds_per_megabyte": self.cpu_per_megabyte,
            "server_cpu_seconds_per_connection": self.cpu_per_connection,
            "server_greatest_lag_seconds": self.lag,
            "server_failed": server and dict(server.failed),
            "problem": self.problem,
            "groups": dict(self.counters.groups),
            "resumed": self.counters.resumed,
            "closed_without_close_notify": self.counters.without_end,
            "opened_first": self.opened_first,
            "encrypted": self.encrypted,
            "counters": self.counters.as_json(),
            "unit": self.unit,
            "opening": self.opening and self.opening.as_json(),
            "windows": [window.as_json() for window in self.windows],
            "greatest_rate": self.found,
            "intervals": [each.as_json() for each in self.intervals],
            "probe": self.probe and self.probe.as_json(),
        }
