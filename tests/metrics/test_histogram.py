from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.metrics.histogram import Histogram


class HistogramTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.histogram = Histogram([0.1, 1])

    def test_counts_a_value_in_the_first_bucket_that_has_room(self) -> None:
        for value in (0.05, 0.1, 0.11, 1.0, 7.0):
            self.histogram.add(value)
        self.assertEqual(self.histogram.counts, [2, 2, 1])
        self.assertEqual(self.histogram.count, 5)
        self.assertAlmostEqual(self.histogram.sum, 8.26)

    def test_a_bucket_of_prometheus_contains_those_before_it(self) -> None:
        for value in (0.05, 0.5, 7.0):
            self.histogram.add(value)
        self.assertEqual(self.histogram.cumulative(), [("0.1", 1), ("1.0", 2), ("+Inf", 3)])

    def test_a_clock_that_was_set_back_counts_as_no_time(self) -> None:
        self.histogram.add(-3.0)
        self.assertEqual((self.histogram.counts[0], self.histogram.sum), (1, 0.0))
