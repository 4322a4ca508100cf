from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.lag_meter import PERIOD, LagMeter
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting.latencies import LAG


class Lag(SynchronousTestCase):
    def measured(self, *steps: float) -> float:
        """The lag that is exceeded for 1 % of the time, if the reactor runs in these steps."""
        clock = Clock()
        recorder = Recorder(clock.seconds)
        meter = LagMeter(clock, recorder)
        meter.start()
        clock.pump(steps)
        meter.stop()
        self.assertEqual(clock.getDelayedCalls(), [])
        return recorder.take()[0].at(LAG, 99.0) or 0.0

    def test_of_a_reactor_that_is_never_late_is_nothing(self) -> None:
        self.assertLess(self.measured(*[PERIOD] * 200), 0.0001)

    def test_of_one_that_is_stopped_again_and_again_is_the_length_of_a_stop(self) -> None:
        self.assertGreater(self.measured(*([PERIOD] * 30 + [0.2]) * 5), 0.15)

    def test_of_one_short_hiccup_in_a_long_time_is_nothing(self) -> None:
        self.assertLess(self.measured(*[PERIOD] * 3000, 0.03), 0.01)
