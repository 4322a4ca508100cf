from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.statistics import Statistics
from tlsdemo.reporting.snapshot import Snapshot

TRUNCATED = CloseReason(Cause.TRUNCATED, "the peer closed")


@dataclass
class CountingStream:
    bytes_in: int = 0
    bytes_out: int = 0
    events: int = 0
    records: int = 0


class CountingSession:
    def __init__(self, stream: CountingStream | None = None) -> None:
        self.stream = stream


class TheStatistics(SynchronousTestCase):
    def setUp(self) -> None:
        self.statistics: Any = Statistics()

    def opened(self, *counts: int) -> CountingSession:
        session = CountingSession(CountingStream(*counts) if counts else None)
        self.statistics.connection_opened(session)
        return session

    def snapshot(self) -> Snapshot:
        snapshot: Snapshot = self.statistics.snapshot(at=0.0, cpu=0.0, lag=0.0)
        return snapshot

    def test_begin_with_nothing(self) -> None:
        self.assertEqual(self.snapshot(), Snapshot())

    def test_carry_what_is_measured_elsewhere(self) -> None:
        snapshot = self.statistics.snapshot(at=1.5, cpu=2.5, lag=3.5, sink=lambda: 4)
        self.assertEqual(snapshot, Snapshot(at=1.5, cpu=2.5, lag=3.5, sink_received=4))

    def test_count_what_becomes_of_connections(self) -> None:
        sessions = [self.opened() for _ in range(5)]
        self.statistics.secured += 3
        for session, close_reason in zip(sessions, (CLEAN, TRUNCATED, TRUNCATED), strict=False):
            self.statistics.connection_ended(session, close_reason)
        self.statistics.connection_ended(sessions[3], CloseReason(Cause.WRONG_NAME))
        self.assertEqual(
            self.snapshot(),
            Snapshot(
                opened=5, open=1, secured=3, clean=1, failed={"truncated": 2, "wrong name": 1}
            ),
        )

    def test_add_up_what_open_and_closed_streams_count(self) -> None:
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

    def test_keep_their_failures_to_themselves(self) -> None:
        before = self.snapshot()
        self.statistics.connection_ended(self.opened(), TRUNCATED)
        self.assertEqual(before.failed, {})
