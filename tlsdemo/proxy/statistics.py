"""The counters of one service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import Stream
from tlsdemo.tls.timeouts import ConnectionPhase
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol


class _Totals:
    """The sums of the counters of streams."""

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = self.events = self.records = 0

    def add(self, other: Stream | _Totals) -> None:
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.events += other.events
        self.records += other.records


class Statistics:
    """Counts connections, and adds up the counters of their streams.

    The counters of open streams are read only when a snapshot is taken, so counting costs nothing
    per byte.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.secured = 0
        self.clean = 0
        self.probes = 0
        self.failed: Counter[str] = Counter()
        self._closed = _Totals()
        self._open: dict[UpgradeProtocol, None] = {}

    def connection_opened(self, protocol: UpgradeProtocol) -> None:
        """Count a connection that has been accepted, and include the counters of its stream."""
        self.opened += 1
        self._open[protocol] = None

    def connection_ended(self, protocol: UpgradeProtocol, close_reason: CloseReason) -> None:
        """Count the end of a connection, and keep the counters of its stream."""
        del self._open[protocol]
        if close_reason.clean:
            self.clean += 1
        elif close_reason.cause is Cause.PROBE:
            self.probes += 1
        else:
            self.failed[close_reason.cause.value] += 1
        if protocol.stream is not None:
            self._closed.add(protocol.stream)

    def snapshot(
        self, at: float, cpu: float, lag: float, sink: Callable[[], int] | None = None
    ) -> Snapshot:
        """Return the present value of every counter."""
        total = self._total()
        return Snapshot(
            at=at,
            cpu=cpu,
            lag=lag,
            opened=self.opened,
            open=len(self._open),
            secured=self.secured,
            clean=self.clean,
            probes=self.probes,
            failed=dict(self.failed),
            bytes_in=total.bytes_in,
            bytes_out=total.bytes_out,
            events=total.events,
            records=total.records,
            sink_received=None if sink is None else sink(),
        )

    def phases(self) -> Counter[ConnectionPhase]:
        """Return how many of the open connections are in each phase."""
        return Counter(protocol.phase for protocol in self._open)

    def received(self) -> int:
        """Return the bytes of cleartext received so far."""
        return self._total().bytes_in

    def _total(self) -> _Totals:
        total = _Totals()
        total.add(self._closed)
        for protocol in self._open:
            if protocol.stream is not None:
                total.add(protocol.stream)
        return total
