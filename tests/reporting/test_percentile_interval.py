from __future__ import annotations

import math

from hdrh.histogram import HdrHistogram
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.latencies import DIGITS, LEAST, MOST
from tlsdemo.reporting.percentile_interval import _at_most, percentile_interval


def of(count: int) -> HdrHistogram:
    histogram = HdrHistogram(LEAST, MOST, DIGITS)
    for value in range(1, count + 1):
        histogram.record_value(value)
    return histogram


class Intervals(SynchronousTestCase):
    def test_lie_about_the_percentile_at_the_ranks_of_the_binomial_distribution(self) -> None:
        # The 2.5th and the 97.5th percentile of the binomial distribution (1000, 0.5).
        self.assertEqual(percentile_interval(of(1000), 50.0), (469.0, 532.0))

    def test_are_none_if_there_are_too_few_values_beyond(self) -> None:
        self.assertIsNone(percentile_interval(of(100), 99.0))
        self.assertIsNone(percentile_interval(of(3), 50.0))
        self.assertIsNotNone(percentile_interval(of(500), 99.0))

    def test_of_many_values_use_the_normal_distribution(self) -> None:
        exact = sum(math.comb(5000, each) for each in range(2450 + 1)) / 2**5000
        self.assertAlmostEqual(_at_most(2450, 5000, 0.5), exact, places=4)
        self.assertAlmostEqual(_at_most(5000, 5000, 0.5), 1.0)

    def test_add_up_the_shorter_tail(self) -> None:
        for most in (3, 997):
            share = most / 1000
            exact = sum(
                math.comb(1000, each) * share**each * (1 - share) ** (1000 - each)
                for each in range(most + 1)
            )
            self.assertAlmostEqual(_at_most(most, 1000, share), exact, places=6)
