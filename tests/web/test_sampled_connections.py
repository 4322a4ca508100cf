from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN
from tlsdemo.trace.model import Arrow
from tlsdemo.web.connection_list import MOST_KEPT
from tlsdemo.web.sampled_connections import (
    APART,
    MOST_LAST,
    MOST_SEEN,
    SampledConnection,
    SampledConnections,
)

RECORD = b"\x17\x03\x03\x00\x01x"


class SampledConnectionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        noon = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)
        self.sampled = SampledConnections("pair", lambda: noon)

    def watch(self, number: int) -> Any:
        return self.sampled.watch(number, f"192.0.2.1:{number}", self.clock.seconds)

    def kept(self, number: int) -> SampledConnection:
        connection = self.sampled.get(number)
        assert connection is not None
        return connection

    def numbers(self) -> list[int]:
        return [each.number for each in self.sampled.newest_first()]

    def begin_tls(self, observer: Any) -> None:
        observer.wire(False, b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x00\x00")

    def test_are_not_more_than_one_in_a_while(self) -> None:
        self.assertIsNotNone(self.watch(1))
        self.assertIsNone(self.watch(2))
        self.clock.advance(APART)
        self.assertIsNotNone(self.watch(3))
        self.assertEqual(self.numbers(), [3, 1])

    def test_are_the_last_ones(self) -> None:
        for number in range(1, MOST_KEPT + 4):
            self.watch(number)
            self.clock.advance(APART)
        self.assertEqual(self.numbers(), list(range(MOST_KEPT + 3, 3, -1)))
        self.assertIsNone(self.sampled.get(1))

    def test_records_of_a_forgotten_connection_are_not_read(self) -> None:
        observers = []
        for number in range(MOST_KEPT + 1):
            observers.append(self.watch(number))
            self.clock.advance(APART)
        self.assertTrue(observers[0].ignores_records)
        self.assertFalse(observers[1].ignores_records)

    def test_tell_the_last_thing_that_counts(self) -> None:
        observer = self.watch(1)
        observer.event("connected")
        observer.event("secure", info="TLSv1.3 X")
        observer.detail("OpenSSL state", state="x")
        self.assertEqual(self.kept(1).state, "secure: TLSv1.3 X")
        observer.event("closed", reason=CLEAN)
        told = self.kept(1).listed()
        self.assertEqual(told.state, "closed: clean")
        self.assertEqual((told.seen, told.began), (4, "12:00:00"))

    def test_keep_a_number_of_records_and_then_the_last_events(self) -> None:
        observer = self.watch(1)
        self.begin_tls(observer)
        for _ in range(MOST_SEEN + 50):
            observer.wire(False, RECORD)
        trace = self.kept(1).trace
        self.assertEqual(len(trace.seen), MOST_SEEN)
        self.assertIn("not shown", trace.facts)
        self.assertTrue(observer.ignores_records)
        for _ in range(MOST_LAST + 50):
            observer.event("closed", reason=CLEAN)
        self.assertEqual(len(trace.seen), MOST_SEEN + MOST_LAST)
        self.assertEqual(sum(isinstance(each, Arrow) for each in trace.seen), MOST_SEEN - 1)

    def test_keep_no_connection_of_openssl(self) -> None:
        class Connection:
            pass

        observer = self.watch(1)
        self.assertIs(self.kept(1).observer(), observer)
        del observer
        self.assertIsNone(self.kept(1).observer())
