from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting.latencies import LAG, ROUND_TRIP


class Windows(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.recorder = Recorder(self.clock.seconds)

    def counts(self, name: str = ROUND_TRIP) -> dict[int, int]:
        return {number: each.count(name) for number, each in self.recorder.take().items()}

    def test_work_counts_in_the_window_in_which_it_was_due(self) -> None:
        for number in (1, 2):
            self.clock.advance(10.0)
            self.recorder.begin(number, 0.0)
        for due in (5.0, 10.0, 19.9, 20.0):
            self.recorder.record(ROUND_TRIP, due)
        self.assertEqual(self.counts(), {0: 1, 1: 2, 2: 1})

    def test_what_was_due_in_a_warm_up_does_not_count(self) -> None:
        self.recorder.begin(1, 2.0)
        self.clock.advance(10.0)
        for due in (0.0, 1.9, 2.0):
            self.recorder.record(ROUND_TRIP, due)
        self.assertEqual(self.counts(), {1: 1})

    def test_it_hands_over_each_value_once(self) -> None:
        self.recorder.record(ROUND_TRIP, 0.0)
        self.assertEqual((self.counts(), self.counts()), ({0: 1}, {}))

    def test_a_step_that_began_after_work_was_due_is_measured_from_its_beginning(self) -> None:
        self.clock.advance(3.0)
        self.recorder.record(ROUND_TRIP, 0.0, since=2.0)
        seconds = self.recorder.take()[0].at(ROUND_TRIP, 100.0) or 0.0
        self.assertEqual(round(seconds, 2), 1.0)

    def test_a_stall_counts_unless_it_is_in_a_warm_up(self) -> None:
        self.recorder.begin(1, 2.0)
        self.recorder.stall(LAG, 0.1, 0.1)
        self.clock.advance(2.0)
        self.recorder.stall(LAG, 0.1, 0.1)
        self.assertEqual(self.counts(LAG), {1: 1})
