from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeWorker, task
from tests.reporting.test_latencies import recorded
from tlsdemo.loadgen import course
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.course import Course
from tlsdemo.loadgen.worker_pool import WorkerPool
from tlsdemo.reporting.interval import Interval
from tlsdemo.reporting.latencies import HANDSHAKE, LAG, Latencies


class TheCourse(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.seen: list[Interval] = []
        pool = WorkerPool(reactor := FakeReactor(), lambda: self.course.advance(), lambda _: None)
        self.course = Course(pool, lambda: self.now, self.seen.append)
        pool.start([[task()]])
        (self.worker,) = reactor.processes
        assert isinstance(self.worker, FakeWorker)
        self.pool = pool

    def report(self, now: float, seconds: float | None = None, **report: object) -> None:
        """Report at ``now``, 100 s after the clock of the worker, that something took so long."""
        self.now = now
        latencies = {} if seconds is None else {0: recorded(seconds, name=HANDSHAKE).as_json()}
        self.worker.report("settled", at=now + 100, latencies=latencies, **report)

    def test_has_intervals_of_a_second_with_what_was_counted_and_measured_in_each(self) -> None:
        self.report(0.0, cpu=5.0)
        self.course.enter("connecting")
        for now, secured, cpu, took in (
            (0.5, 2, 5.1, 0.001), (1.0, 5, 5.3, 0.003), (1.5, 6, 5.4, 0.007), (2.0, 9, 5.9, 0.009),
        ):  # fmt: skip
            self.report(now, took, secured=secured, cpu=cpu)
        self.assertEqual([(each.at, each.seconds) for each in self.seen], [(1.0, 1.0), (2.0, 1.0)])
        self.assertEqual([each.counters.secured for each in self.seen], [5, 4])
        self.assertEqual([round(each.workers[0].cpu, 3) for each in self.seen], [0.3, 0.6])
        longest = [round(each.latencies[HANDSHAKE].max, 4) for each in self.seen]
        self.assertEqual(longest, [0.003, 0.009])
        self.assertEqual([each.phase for each in self.seen], ["connecting"] * 2)

    def test_begins_an_interval_with_each_phase_and_window(self) -> None:
        self.course.enter("connecting")
        self.now = 0.3
        self.course.enter("sending")
        self.course.begin(Window(number=1, rate=50.0))
        self.now = 0.7
        self.course.begin(Window(number=2, rate=70.0))
        self.now = 1.1
        self.course.enter("draining")
        self.assertEqual(
            [(each.phase, each.window, each.rate, round(each.seconds, 3)) for each in self.seen],
            [("connecting", 0, 0.0, 0.3), ("sending", 1, 50.0, 0.4), ("sending", 2, 70.0, 0.4)],
        )

    def test_counts_what_is_too_short_for_a_rate_to_the_next_interval(self) -> None:
        self.course.enter("connecting")
        self.report(0.01, secured=3)
        self.course.enter("sending")
        self.report(1.0, secured=4)
        self.assertEqual(
            [(each.phase, each.counters.secured) for each in self.seen], [("sending", 4)]
        )

    def test_has_nothing_before_its_first_and_after_its_last_phase(self) -> None:
        self.report(5.0)
        self.course.enter("connecting")
        self.report(6.0)
        self.course.enter(None)
        self.report(9.0)
        self.assertEqual([each.at for each in self.seen], [6.0])

    def test_its_intervals_end_after_full_seconds(self) -> None:
        self.course.enter("connecting")
        for now in (0.9, 1.2, 1.9, 2.15, 3.1):
            self.report(now)
        self.assertEqual([each.at for each in self.seen], [1.2, 2.15, 3.1])

    def test_keeps_the_histograms_of_a_shard(self) -> None:
        course = Course(self.pool, lambda: self.now, self.seen.append, histograms=True)
        course.enter("connecting")
        self.report(1.0, 0.001)
        course.advance()
        (interval,) = course.kept
        measured = Latencies.from_json(interval.histograms)
        self.assertEqual(measured.count(HANDSHAKE), 1)
        self.assertIn("histograms", interval.as_json())

    def test_is_kept_up_to_a_bound_and_told_beyond_it(self) -> None:
        self.patch(course, "MOST_INTERVALS", 2)
        self.course.enter("connecting")
        for now in (1.0, 2.0, 3.0):
            self.report(now)
        self.assertEqual([len(self.course.kept), len(self.seen)], [2, 3])

    def test_has_the_lag_of_the_workers_and_not_among_the_latencies(self) -> None:
        self.course.enter("connecting")
        self.now = 1.0
        self.worker.report("settled", latencies={0: recorded(0.02, name=LAG).as_json()})
        (interval,) = self.seen
        self.assertEqual(interval.latencies, {})
        self.assertAlmostEqual(interval.workers[0].lag or 0.0, 0.02, places=4)
