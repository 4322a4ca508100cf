from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls.timeouts import ConnectionPhase

TRUNCATED = CloseReason(Cause.TRUNCATED, "the peer closed")


@dataclass
class CountingStream:
    bytes_in: int = 0
    bytes_out: int = 0
    events: int = 0
    records: int = 0


class CountingProtocol:
    def __init__(self, stream: CountingStream | None = None) -> None:
        self.stream = stream
        self.phase = ConnectionPhase.OPEN


class StatisticsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.statistics: Any = Statistics()

    def opened(self, *counts: int) -> CountingProtocol:
        protocol = CountingProtocol(CountingStream(*counts) if counts else None)
        self.statistics.connection_opened(protocol)
        return protocol

    def snapshot(self) -> Snapshot:
        snapshot: Snapshot = self.statistics.snapshot(at=0.0, cpu=0.0, lag=0.0)
        return snapshot

    def test_all_counters_begin_at_zero(self) -> None:
        self.assertEqual(self.snapshot(), Snapshot())

    def test_a_snapshot_has_the_values_measured_elsewhere(self) -> None:
        snapshot = self.statistics.snapshot(at=1.5, cpu=2.5, lag=3.5, sink=lambda: 4)
        self.assertEqual(snapshot, Snapshot(at=1.5, cpu=2.5, lag=3.5, sink_received=4))

    def test_open_connections_are_counted_by_phase(self) -> None:
        for _ in range(3):
            self.opened()
        self.opened().phase = ConnectionPhase.CLOSING
        expected = {ConnectionPhase.OPEN: 3, ConnectionPhase.CLOSING: 1}
        self.assertEqual(self.statistics.phases(), expected)

    def test_ends_are_counted_by_cause(self) -> None:
        protocols = [self.opened() for _ in range(5)]
        self.statistics.secured += 3
        for protocol, close_reason in zip(protocols, (CLEAN, TRUNCATED, TRUNCATED), strict=False):
            self.statistics.connection_ended(protocol, close_reason)
        self.statistics.connection_ended(protocols[3], CloseReason(Cause.WRONG_NAME))
        self.assertEqual(
            self.snapshot(),
            Snapshot(
                opened=5, open=1, secured=3, clean=1, failed={"truncated": 2, "wrong name": 1}
            ),
        )

    def test_counters_of_open_and_closed_streams_are_added(self) -> None:
        first, second = self.opened(1, 2, 3, 4), self.opened(10, 20, 30, 40)
        self.opened()
        self.assertEqual(self.totals(), (11, 22, 33, 44))
        self.statistics.connection_ended(first, CLEAN)
        self.assertEqual(self.totals(), (11, 22, 33, 44))
        assert second.stream is not None
        second.stream.bytes_in += 100
        self.assertEqual(self.totals(), (111, 22, 33, 44))
        self.assertEqual(self.statistics.received(), 111)

    def totals(self) -> tuple[int, int, int, int]:
        total = self.snapshot()
        return total.bytes_in, total.bytes_out, total.events, total.records

    def test_a_snapshot_does_not_change_later(self) -> None:
        before = self.snapshot()
        self.statistics.connection_ended(self.opened(), TRUNCATED)
        self.assertEqual(before.failed, {})
