from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.reactor_lag import LagMeter


class LagMeterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.meter = LagMeter(self.clock, period=0.5)
        self.reading = self.meter.reading()

    def test_the_lag_is_how_late_a_call_was(self) -> None:
        self.meter.start()
        self.clock.advance(0.75)
        self.assertEqual(self.reading.greatest, 0.25)

    def test_there_is_no_lag_if_calls_are_in_time(self) -> None:
        self.meter.start()
        self.clock.pump([0.5] * 10)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_the_greatest_lag_is_kept(self) -> None:
        self.meter.start()
        self.clock.pump([0.75, 2.5, 1.0, 0.5])
        self.assertEqual(self.reading.greatest, 2.0)

    def test_taking_the_lag_resets_it(self) -> None:
        self.meter.start()
        self.clock.advance(1.5)
        self.assertEqual(self.reading.take(), 1.0)
        self.assertEqual(self.reading.take(), 0.0)
        self.clock.advance(0.75)
        self.assertEqual(self.reading.take(), 0.25)

    def test_readings_are_independent(self) -> None:
        other = self.meter.reading()
        self.meter.start()
        self.clock.advance(1.5)
        self.reading.take()
        self.clock.advance(0.75)
        self.assertEqual((self.reading.take(), other.take()), (0.25, 1.0))

    def test_it_stops_measuring(self) -> None:
        self.meter.start()
        self.clock.advance(0.5)
        self.meter.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.meter.stop()
        self.clock.advance(5)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_it_can_be_restarted_without_counting_the_pause(self) -> None:
        self.meter.start()
        self.meter.stop()
        self.clock.advance(5)
        self.meter.start()
        self.clock.advance(0.5)
        self.assertEqual(self.reading.greatest, 0.0)

    def test_it_may_have_another_clock(self) -> None:
        # That of the reactor can be set, by NTP or by hand.
        other = Clock()
        late: list[float] = []
        meter = LagMeter(self.clock, 0.5, other.seconds)
        meter.report_to(late.append)
        meter.start()
        other.advance(0.75)
        self.clock.advance(0.5)
        self.assertEqual(late, [0.25])

    def test_by_default_it_measures_twenty_times_a_second(self) -> None:
        meter = LagMeter(self.clock)
        meter.start()
        (call,) = self.clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 0.05)
