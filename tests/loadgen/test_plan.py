from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.plan import CONFIRM_FOR, MOST_WINDOWS, Plan, find_max, steps
from tlsdemo.reporting.latencies import CONFIRMED
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WindowResult


def follow(plan: Plan, hold: Callable[[Window], bool]) -> tuple[list[Window], float | None]:
    """Follow a plan with a server that holds or not; a window that held was one without a miss."""
    windows = [next(plan)]
    while True:
        window = windows[-1]
        missed = LoadCounters(missed=0 if hold(window) else 1)
        try:
            windows.append(plan.send(WindowResult(1, CONFIRMED, window.rate, 1.0, missed)))
        except StopIteration as end:
            return windows, end.value


def held(result: WindowResult) -> bool:
    return not result.counters.missed


class Steps(SynchronousTestCase):
    def test_each_rate_has_a_window_and_only_the_first_a_ramp(self) -> None:
        first = Window(ramp=2.0, warm_up=1.0, seconds=5.0)
        windows, found = follow(steps([100.0, 500.0], first), lambda _: True)
        self.assertEqual(
            windows,
            [
                Window(number=1, rate=100.0, ramp=2.0, warm_up=1.0, seconds=5.0),
                Window(number=2, rate=500.0, ramp=0.0, warm_up=1.0, seconds=5.0),
            ],
        )
        self.assertIsNone(found)


class Search(SynchronousTestCase):
    def search(
        self, hold: Callable[[Window], bool], start: float = 50.0
    ) -> tuple[list[Window], float | None]:
        return follow(find_max(held, start, Window(seconds=1.0)), hold)

    @given(st.floats(1.0, 100_000.0), st.floats(0.5, 10_000.0))
    def test_it_finds_the_greatest_rate_from_wherever_it_begins(
        self, most: float, start: float
    ) -> None:
        windows, found = self.search(lambda window: window.rate <= most, start)
        assert found is not None
        self.assertLessEqual(found, most)
        self.assertGreater(found, most * 0.97)
        self.assertLess(len(windows), 50)

    @given(st.integers(0, 10_000))
    def test_it_does_so_although_the_server_is_not_always_as_fast(self, seed: int) -> None:
        generator = random.Random(seed)
        _, found = self.search(
            lambda window: window.rate <= 400.0 * (1 + generator.uniform(-0.02, 0.02))
        )
        assert found is not None
        self.assertLess(abs(found - 400.0), 20.0)

    def test_what_it_finds_has_been_confirmed_in_a_longer_window(self) -> None:
        windows, found = self.search(lambda window: window.rate <= 400.0)
        self.assertEqual((windows[-1].rate, windows[-1].seconds), (found, CONFIRM_FOR))
        self.assertEqual({window.seconds for window in windows[:-1]}, {1.0})
        self.assertEqual([each.number for each in windows], [*range(1, len(windows) + 1)])

    def test_a_single_disturbance_does_not_mislead_it(self) -> None:
        # Neither while the rate grows nor in the bisection.
        for start, disturbed in product((50.0, 300.0), range(1, 10)):
            _, found = self.search(
                lambda window, disturbed=disturbed: (  # type: ignore[misc]
                    window.rate <= 400.0 and window.number != disturbed
                ),
                start,
            )
            assert found is not None
            self.assertLess(abs(found - 400.0), 20.0)

    def test_a_rate_that_only_holds_for_a_short_time_is_lowered(self) -> None:
        def hold(window: Window) -> bool:
            return window.rate <= (400.0 if window.seconds == 1.0 else 300.0)

        _, found = self.search(hold)
        assert found is not None
        self.assertTrue(290.0 < found <= 300.0, found)

    def test_it_gives_up_if_no_rate_holds(self) -> None:
        windows, found = self.search(lambda _: False)
        self.assertEqual(found, 0)
        self.assertLess(windows[-1].rate, 0.3)

    def test_it_ends_if_every_rate_holds(self) -> None:
        windows, found = self.search(lambda _: True)
        self.assertEqual(found, 0)
        self.assertEqual(len(windows), MOST_WINDOWS)
