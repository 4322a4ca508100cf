from __future__ import annotations

import math
import random

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.bootstrap import paired_ratio, unpaired_ratio
from tlsdemo.reporting.confidence import ratio


class Ratios(SynchronousTestCase):
    def test_are_those_of_the_geometric_means(self) -> None:
        pairs = [(1.0, 2.0), (4.0, 8.0), (2.0, 1.0)]
        self.assertAlmostEqual(paired_ratio(pairs).value, 2 ** (1 / 3))
        self.assertAlmostEqual(unpaired_ratio([1.0, 4.0], [4.0, 4.0, 4.0]).value, 2.0)

    def test_of_a_single_round_have_no_interval(self) -> None:
        for found in (paired_ratio([(1.0, 2.0)]), unpaired_ratio([1.0, 1.0], [2.0])):
            self.assertEqual((found.value, found.low, found.high), (2.0, None, None))
            self.assertFalse(found.differs)

    def test_of_pairs_do_not_see_what_slows_both_down(self) -> None:
        generator = random.Random(1)
        pairs = []
        for _ in range(8):
            drift = generator.lognormvariate(0, 1)
            pairs.append((drift, 1.05 * drift * generator.lognormvariate(0, 0.005)))
        self.assertTrue(paired_ratio(pairs).differs)
        first, second = zip(*pairs, strict=True)
        self.assertFalse(unpaired_ratio(first, second).differs)

    def test_of_many_normal_rounds_have_the_interval_of_student(self) -> None:
        generator = random.Random(2)
        pairs = [(1.0, generator.lognormvariate(0.1, 0.1)) for _ in range(50)]
        expected, found = ratio(pairs), paired_ratio(pairs)
        assert expected and expected.low and expected.high and found.low and found.high
        width = expected.high - expected.low
        self.assertLess(abs(found.low - expected.low), 0.15 * width)
        self.assertLess(abs(found.high - expected.high), 0.15 * width)

    def test_are_wider_with_more_confidence_and_repeatable(self) -> None:
        pairs = [(1.0, math.exp(each / 100)) for each in range(6)]
        usual, sure = paired_ratio(pairs), paired_ratio(pairs, 0.999)
        assert usual.high and sure.high and usual.low and sure.low
        self.assertLess(sure.low, usual.low)
        self.assertGreater(sure.high, usual.high)
        self.assertEqual(usual, paired_ratio(pairs))

    def test_of_runs_without_any_spread_are_exact(self) -> None:
        found = unpaired_ratio([2.0, 2.0], [3.0, 3.0])
        self.assertEqual([round(each or 0, 9) for each in (found.low, found.high)], [1.5, 1.5])
