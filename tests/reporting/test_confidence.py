from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.confidence import Ratio, ratio, student

QUICKLY = settings(derandomize=True, max_examples=75)


def known(pairs: list[tuple[float | None, float | None]]) -> Ratio:
    found = ratio(pairs)
    assert found is not None
    return found


class StudentsDistribution(SynchronousTestCase):
    def test_is_the_one_in_the_tables(self) -> None:
        for freedom, expected in {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 9: 2.262, 30: 2.042}.items():  # fmt: skip # noqa: E501
            self.assertAlmostEqual(student(freedom), expected, places=3)

    def test_approaches_the_normal_distribution(self) -> None:
        self.assertAlmostEqual(student(10_000), 1.960, places=3)

    def test_supports_other_levels_of_confidence(self) -> None:
        self.assertAlmostEqual(student(4, 0.5), 0.741, places=3)
        self.assertAlmostEqual(student(4, 0.99), 4.604, places=3)


class TheRatio(SynchronousTestCase):
    def test_is_the_candidate_divided_by_the_baseline(self) -> None:
        self.assertAlmostEqual(known([(2.0, 3.0), (2.0, 3.0)]).value, 1.5)

    def test_of_double_and_half_the_cost_is_no_difference(self) -> None:
        found = known([(1.0, 2.0), (2.0, 1.0)])
        self.assertAlmostEqual(found.value, 1.0)
        self.assertFalse(found.differs)

    def test_is_not_affected_by_what_slows_both_down(self) -> None:
        found = known([(1.0, 1.1), (5.0, 5.5), (0.2, 0.22)])
        for bound in (found.value, found.low, found.high):
            assert bound is not None
            self.assertAlmostEqual(bound, 1.1)
        self.assertTrue(found.differs)

    def test_has_the_interval_of_student(self) -> None:
        # By hand: the logarithms are -1, 0 and 1 tenth; their mean 0, their deviation 0.1.
        found = known([(1.0, math.exp(each)) for each in (-0.1, 0.0, 0.1)])
        assert found.low is not None and found.high is not None
        self.assertAlmostEqual(math.log(found.high), 4.3027 * 0.1 / math.sqrt(3), places=4)
        self.assertAlmostEqual(found.low, 1 / found.high)

    def test_ignores_rounds_with_an_unknown_or_non_positive_value(self) -> None:
        pairs: list[tuple[float | None, float | None]] = [
            *((None, 1.0), (1.0, None), (0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)),
            *((1.0, 2.0), (1.0, 2.0)),
        ]
        self.assertEqual(known(pairs).rounds, 2)

    def test_is_not_known_without_any_round(self) -> None:
        self.assertIsNone(ratio([]))
        self.assertIsNone(ratio([(None, 1.0)]))

    def test_of_one_round_has_no_interval_and_does_not_differ(self) -> None:
        found = known([(1.0, 9.0)])
        self.assertEqual((found.low, found.high, found.differs), (None, None, False))

    def test_has_the_true_value_in_about_95_of_100_intervals(self) -> None:
        chance = random.Random(4)
        hits = 0
        for _ in range(1000):
            found = known([(1.0, 1.2 * math.exp(chance.gauss(0, 0.1))) for _ in range(5)])
            assert found.low is not None and found.high is not None
            hits += found.low <= 1.2 <= found.high
        self.assertTrue(930 <= hits <= 970, hits)

    @QUICKLY
    @given(st.lists(st.tuples(*[st.floats(1e-6, 1e6)] * 2), min_size=2, max_size=9))
    def test_is_inside_its_interval_and_inverts_if_the_sides_are_swapped(
        self, pairs: list[tuple[float, float]]
    ) -> None:
        found = known([*pairs])
        other = known([(candidate, baseline) for baseline, candidate in pairs])
        assert found.low is not None and found.high is not None
        self.assertLessEqual(found.low, found.value)
        self.assertLessEqual(found.value, found.high)
        self.assertTrue(math.isclose(found.value * other.value, 1.0))

    def test_has_its_fields_as_json(self) -> None:
        self.assertEqual(
            Ratio(1.5, 1.0, 2.0, 3).as_json(),
            {"value": 1.5, "low": 1.0, "high": 2.0, "rounds": 3},
        )


class TheText(SynchronousTestCase):
    def test_has_the_interval_and_a_verdict(self) -> None:
        for found, expected in {
            Ratio(1.08, 1.03, 1.13, 5): "1.08 (1.03 to 1.13): candidate costs more",
            Ratio(0.5, 0.4, 0.6, 5): "0.50 (0.40 to 0.60): candidate costs less",
            Ratio(1.01, 0.97, 1.05, 5): "1.01 (0.97 to 1.05): no significant difference",
            Ratio(1.0, 1.0, 1.0, 5): "1.00 (1.00 to 1.00): no significant difference",
            Ratio(3.0, None, None, 1): "3.00: only one round, no confidence interval",
        }.items():
            self.assertEqual(found.text(), expected)

    def test_has_a_third_decimal_if_two_would_round_a_bound_to_1(self) -> None:
        self.assertEqual(
            Ratio(1.004, 1.002, 1.006, 5).text(), "1.004 (1.002 to 1.006): candidate costs more"
        )

    def test_can_have_other_verdicts(self) -> None:
        text = Ratio(2.0, 1.5, 2.5, 5).text("more", "fewer")
        self.assertEqual(text, "2.00 (1.50 to 2.50): more")
