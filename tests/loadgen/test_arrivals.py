from __future__ import annotations

import doctest
import json
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen import arrivals
from tlsdemo.loadgen.arrivals import Window, due_time, due_times, work_by


class Times(SynchronousTestCase):
    def test_the_examples_of_the_docstrings_are_true(self) -> None:
        outcome = doctest.testmod(arrivals)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    @given(st.floats(0, 1e5), st.floats(0.1, 1e5), st.floats(0, 1000))
    def test_the_work_by_the_time_that_work_is_due_is_that_work(
        self, work: float, rate: float, ramp: float
    ) -> None:
        self.assertAlmostEqual(work_by(due_time(work, rate, ramp), rate, ramp), work, 4)

    def test_a_ramp_does_half_of_the_work(self) -> None:
        window = Window(rate=100.0, ramp=4.0, seconds=1.0)
        times = list(due_times(window))
        self.assertEqual(len([each for each in times if each < 4.0]), 200)
        self.assertEqual(len([each for each in times if each >= 4.0]), 100)
        self.assertEqual(times, sorted(times))

    def test_no_work_is_due_after_the_end_of_the_window(self) -> None:
        self.assertEqual(list(due_times(Window(rate=2.0, warm_up=1.0, seconds=0.6))),
                         [0.0, 0.5, 1.0, 1.5])  # fmt: skip

    def test_a_window_survives_json(self) -> None:
        window = Window(number=3, rate=7.5, ramp=1.0, warm_up=2.0, arrivals="poisson", seed=9)
        self.assertEqual(Window(**json.loads(json.dumps(window.as_json()))), window)


class Sharing(SynchronousTestCase):
    def shared(self, window: Window, of: int) -> list[float]:
        return sorted(time for index in range(of) for time in due_times(window, index, of))

    @given(st.integers(1, 7))
    def test_workers_together_do_the_constant_plan(self, of: int) -> None:
        window = Window(rate=50.0, ramp=1.0, seconds=2.0)
        self.assertEqual(self.shared(window, of), list(due_times(window)))

    def test_poisson_arrivals_of_several_workers_have_the_whole_rate(self) -> None:
        window = Window(rate=1000.0, arrivals="poisson", seconds=20.0, seed=1)
        times = self.shared(window, 4)
        self.assertLess(abs(len(times) - 20_000), 4 * 20_000**0.5)
        # Of a Poisson process, the gaps have a standard deviation equal to their mean.
        gaps = [after - before for before, after in pairwise(times)]
        mean = sum(gaps) / len(gaps)
        deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
        self.assertLess(abs(deviation / mean - 1.0), 0.03)

    def test_a_seed_repeats_arrivals_and_another_does_not(self) -> None:
        def first(seed: int, index: int = 0) -> list[float]:
            window = Window(rate=10.0, arrivals="poisson", seed=seed)
            return list(islice(due_times(window, index, 2), 5))

        self.assertEqual(first(1), first(1))
        self.assertNotEqual(first(1), first(2))
        self.assertNotEqual(first(1), first(1, index=1))
