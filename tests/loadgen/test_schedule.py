from __future__ import annotations

import doctest
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import task
from tlsdemo.loadgen import schedule as plan
from tlsdemo.loadgen.arrivals import Window, due_times
from tlsdemo.loadgen.schedule import (
    SPARE_DESCRIPTORS,
    Task,
    allowed,
    default_workers,
    descriptors_needed,
    descriptors_to_control,
    shares,
    split,
    until_next,
    workers_needed,
)


class Plan(SynchronousTestCase):
    def test_the_examples_of_the_docstrings_are_true(self) -> None:
        outcome = doctest.testmod(plan)
        self.assertGreater(outcome.attempted, 0)
        self.assertEqual(outcome.failed, 0)

    def test_a_task_survives_json(self) -> None:
        there = json.dumps(task(rate=2.5, packets=7).as_json())
        self.assertEqual(Task(**json.loads(there)), task(rate=2.5, packets=7))


class Split(SynchronousTestCase):
    @given(st.integers(1, 10_000), st.integers(1, 64))
    def test_it_is_even_and_complete(self, connections: int, workers: int) -> None:
        shares = split(connections, workers)
        self.assertEqual(sum(shares), connections)
        self.assertLessEqual(max(shares) - min(shares), 1)
        self.assertEqual(len(shares), min(workers, connections))

    def test_every_worker_has_a_connection(self) -> None:
        self.assertEqual(split(2, 5), [1, 1])

    def test_there_is_always_at_least_one_worker(self) -> None:
        self.assertEqual(split(3, 0), [3])
        self.assertEqual(split(0, 4), [0])


class Workers(SynchronousTestCase):
    def test_one_cpu_is_left_for_the_server(self) -> None:
        self.assertEqual(default_workers(8), 7)

    def test_there_is_at_least_one(self) -> None:
        self.assertEqual(default_workers(1), 1)


class Descriptors(SynchronousTestCase):
    def test_are_those_of_the_worker_with_most_connections(self) -> None:
        self.assertEqual(descriptors_needed(11, 2), 6 + SPARE_DESCRIPTORS)

    @given(st.integers(1, 5000), st.integers(SPARE_DESCRIPTORS + 1, 1000))
    def test_the_fewest_workers_that_fit_do_fit_and_one_less_do_not(
        self, connections: int, limit: int
    ) -> None:
        workers = workers_needed(connections, limit)
        if workers is None:
            # Then not even one fewer could be started.
            fewest = -(-connections // (limit - SPARE_DESCRIPTORS))
            self.assertGreater(descriptors_to_control(fewest), limit)
            return
        self.assertLessEqual(descriptors_to_control(workers), limit)
        self.assertLessEqual(descriptors_needed(connections, workers), limit)
        if workers > 1:
            self.assertGreater(descriptors_needed(connections, workers - 1), limit)

    def test_below_what_a_worker_itself_needs_no_number_of_workers_suffices(self) -> None:
        self.assertIsNone(workers_needed(1, SPARE_DESCRIPTORS))


class Pacing(SynchronousTestCase):
    def test_without_a_rate_all_may_be_started(self) -> None:
        self.assertEqual(allowed(0.0, 0.0, 500), 500)

    def test_the_first_may_be_started_at_once_and_the_others_one_by_one(self) -> None:
        times = (0.0, 0.49, 0.5, 0.99, 1.0)
        self.assertEqual([allowed(2.0, at, 500) for at in times], [1, 1, 2, 2, 3])

    def test_it_never_allows_more_than_there_are(self) -> None:
        self.assertEqual(allowed(2.0, 1000.0, 500), 500)

    def test_the_time_until_the_next_is_known(self) -> None:
        self.assertEqual(until_next(2.0, 0.0), 0.5)
        self.assertEqual(until_next(2.0, 0.25), 0.25)

    @given(st.floats(0.1, 10_000), st.floats(0, 10_000))
    def test_until_the_next_is_never_negative(self, rate: float, elapsed: float) -> None:
        self.assertGreaterEqual(until_next(rate, elapsed), 0.0)
        self.assertLessEqual(until_next(rate, elapsed), 1 / rate + 1e-6)


class Shares(SynchronousTestCase):
    def test_the_rate_of_opening_connections_is_that_of_all_workers(self) -> None:
        cut = shares([task(connections=3, rate=6.0)], 2)
        self.assertEqual([(each.connections, each.rate) for (each,) in cut], [(2, 4.0), (1, 2.0)])

    def test_the_shares_of_a_share_do_each_unit_of_work_once(self) -> None:
        window = Window(rate=100.0, seconds=1.0)
        whole = [*due_times(window)]
        cut = [
            due
            for share in shares([task(connections=12)], 3)
            for (each,) in shares(share, 2)
            for due in due_times(window, each.index, each.of)
        ]
        self.assertEqual(sorted(cut), whole)

    def test_a_share_that_is_not_cut_stays_as_it_is(self) -> None:
        for share in shares([task(connections=12)], 3):
            self.assertEqual(shares(share, 1), [share])
