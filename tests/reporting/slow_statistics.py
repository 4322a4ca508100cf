"""What the statistics of comparisons promise, SIMULATED: no load is run here.

Real comparisons of this number would take days, and the truth would not be known.  The runs are
drawn from known distributions (tests/reporting/measured_runs.py), with a fixed seed.
"""

from __future__ import annotations

import math
import random
from statistics import NormalDist

from hdrh.histogram import HdrHistogram
from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.measured_runs import alternating
from tlsdemo.reporting.latencies import DIGITS, LEAST, MOST
from tlsdemo.reporting.percentile_interval import percentile_interval
from tlsdemo.reporting.run_comparison import NOISE, RunComparison

COMPARISONS = 200
SIMULATIONS = 500


class SimulatedComparisons(SynchronousTestCase):
    def different(self, rounds: int, slower: float) -> float:
        """Return the share of comparisons in which any figure was called different."""
        generator = random.Random(12)
        found = 0
        for _ in range(COMPARISONS):
            figures = RunComparison(*alternating(generator, rounds, slower)).figures()
            found += any(each.verdict != NOISE for each in figures)
        return found / COMPARISONS

    def test_of_a_server_with_itself_say_different_in_at_most_5_percent(self) -> None:
        self.assertLessEqual(self.different(5, slower=1.0), 0.05)
        self.assertLessEqual(self.different(10, slower=1.0), 0.05)

    def test_find_5_percent_more_cpu_in_at_least_90_percent(self) -> None:
        generator = random.Random(12)
        found = 0
        for _ in range(COMPARISONS):
            figures = RunComparison(*alternating(generator, 10, slower=1.05)).figures()
            (cpu,) = [each for each in figures if each.name == "server-cpu/connection"]
            found += cpu.verdict == "WORSE"
        self.assertGreaterEqual(found / COMPARISONS, 0.9)


class SimulatedPercentiles(SynchronousTestCase):
    def test_the_interval_of_p99_covers_the_true_one_in_93_to_97_percent(self) -> None:
        generator = random.Random(12)
        median, sigma = 2000, 0.5
        true = median * math.exp(sigma * NormalDist().inv_cdf(0.99))
        covered = 0
        for _ in range(SIMULATIONS):
            histogram = HdrHistogram(LEAST, MOST, DIGITS)
            for _ in range(2000):
                histogram.record_value(round(median * generator.lognormvariate(0, sigma)))
            bounds = percentile_interval(histogram, 99.0)
            assert bounds is not None
            covered += bounds[0] <= true <= bounds[1]
        self.assertTrue(0.93 <= covered / SIMULATIONS <= 0.97, covered / SIMULATIONS)
