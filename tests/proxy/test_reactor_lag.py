from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.reactor_lag import LagMeter


class ALagMeter(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.meter = LagMeter(self.clock, period=0.5)
        self.reading = self.meter.reading()

    def test_notes_by_how_much_a_call_was_missed(self) -> None:
        self.meter.start()
        self.clock.advance(0.75)
        self.assertEqual(self.reading.greatest, 0.25)

    def test_finds_nothing_where_all_is_in_time(self) -> None:
        self.meter.start()
        self.clock.pump([0.5] * 10)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_keeps_the_greatest(self) -> None:
        self.meter.start()
        self.clock.pump([0.75, 2.5, 1.0, 0.5])
        self.assertEqual(self.reading.greatest, 2.0)

    def test_begins_anew_when_the_lag_has_been_taken(self) -> None:
        self.meter.start()
        self.clock.advance(1.5)
        self.assertEqual(self.reading.take(), 1.0)
        self.assertEqual(self.reading.take(), 0.0)
        self.clock.advance(0.75)
        self.assertEqual(self.reading.take(), 0.25)

    def test_lets_one_who_takes_it_take_nothing_from_another(self) -> None:
        other = self.meter.reading()
        self.meter.start()
        self.clock.advance(1.5)
        self.reading.take()
        self.clock.advance(0.75)
        self.assertEqual((self.reading.take(), other.take()), (0.25, 1.0))

    def test_measures_no_more_when_it_is_stopped(self) -> None:
        self.meter.start()
        self.clock.advance(0.5)
        self.meter.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.meter.stop()
        self.clock.advance(5)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_can_be_started_again_and_has_missed_nothing_meanwhile(self) -> None:
        self.meter.start()
        self.meter.stop()
        self.clock.advance(5)
        self.meter.start()
        self.clock.advance(0.5)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_asks_about_twenty_times_a_second_unless_told_otherwise(self) -> None:
        meter = LagMeter(self.clock)
        meter.start()
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 0.05)
