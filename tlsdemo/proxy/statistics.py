"""The counters of one service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tlsdemo.close_reasons import CloseReason
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import Stream
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol


class _Tally:
    """Sums of what streams count."""

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = self.events = self.records = 0

    def add(self, other: Stream | _Tally) -> None:
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.events += other.events
        self.records += other.records


class Statistics:
    """Counts connections, and adds up what the streams count for themselves.

    Nothing here is on the way of a byte: open streams are asked when a snapshot is taken.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.secured = 0
        self.clean = 0
        self.failed: Counter[str] = Counter()
        self._closed = _Tally()
        self._open: dict[UpgradeProtocol, None] = {}

    def connection_opened(self, protocol: UpgradeProtocol) -> None:
        """Count a connection that has been accepted, and from now on what its stream counts."""
        self.opened += 1
        self._open[protocol] = None

    def connection_ended(self, protocol: UpgradeProtocol, close_reason: CloseReason) -> None:
        """Count a connection's end, and keep the figures of its stream."""
        del self._open[protocol]
        if close_reason.clean:
            self.clean += 1
        else:
            self.failed[close_reason.cause.value] += 1
        if protocol.stream is not None:
            self._closed.add(protocol.stream)

    def snapshot(
        self, at: float, cpu: float, lag: float, sink: Callable[[], int] | None = None
    ) -> Snapshot:
        """Return all figures as they are now."""
        total = self._total()
        return Snapshot(
            at=at,
            cpu=cpu,
            lag=lag,
            opened=self.opened,
            open=len(self._open),
            secured=self.secured,
            clean=self.clean,
            failed=dict(self.failed),
            bytes_in=total.bytes_in,
            bytes_out=total.bytes_out,
            events=total.events,
            records=total.records,
            sink_received=None if sink is None else sink(),
        )

    def received(self) -> int:
        """Return the cleartext bytes that have come in so far."""
        return self._total().bytes_in

    def _total(self) -> _Tally:
        total = _Tally()
        total.add(self._closed)
        for protocol in self._open:
            if protocol.stream is not None:
                total.add(protocol.stream)
        return total
