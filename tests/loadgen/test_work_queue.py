"""The queue of work, and its pacer: what is due, what waits, and what is missed."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import TurningClock
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.work_queue import WorkQueue


class QueueCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.started: list[tuple[float, float]] = []
        self.room = 10**6
        self.queue = WorkQueue(self.clock, self.clock.seconds, self.start)

    def start(self, due: float) -> bool:
        if not self.room:
            return False
        self.room -= 1
        self.started.append((self.clock.seconds(), due))
        return True

    def free(self, count: int = 1) -> None:
        self.room += count
        self.queue.room()


class OpenLoop(QueueCase):
    def test_work_is_started_when_it_is_due_whatever_became_of_other_work(self) -> None:
        self.queue.begin(Window(rate=2.0, seconds=2.0))
        self.clock.pump([0.0] + [0.25] * 12)
        self.assertEqual(self.started, [(time, time) for time in (0.0, 0.5, 1.0, 1.5)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_work_without_room_waits_and_keeps_its_due_time(self) -> None:
        self.room = 1
        self.queue.begin(Window(rate=1.0))
        self.clock.pump([0.0, 1.0, 1.0, 0.5])
        self.assertEqual(self.started, [(0.0, 0.0)])
        self.free(2)
        self.assertEqual(self.started[1:], [(2.5, 1.0), (2.5, 2.0)])

    def test_new_work_does_not_overtake_what_waits(self) -> None:
        self.room = 0
        self.queue.begin(Window(rate=1.0))
        self.clock.advance(0)
        self.room = 1
        self.clock.advance(1.0)
        self.free()
        self.assertEqual([due for _, due in self.started], [0.0, 1.0])

    def test_what_still_waits_at_the_end_was_missed(self) -> None:
        self.room = 2
        self.queue.begin(Window(rate=1.0))
        self.clock.pump([0.0, 1.0, 1.0, 1.0])
        self.queue.rest()
        self.assertEqual((self.queue.take_missed(), self.queue.take_missed()), (2, 0))
        self.free(5)
        self.clock.advance(5.0)
        self.assertEqual(len(self.started), 2)

    def test_what_a_stalled_worker_did_not_even_look_at_was_missed(self) -> None:
        self.queue.begin(Window(rate=10.0, seconds=2.0))
        self.clock.advance(0)
        # The reactor did not run for all of the window.
        self.clock.rightNow += 2.5
        self.queue.rest()
        self.assertEqual(len(self.started) + self.queue.take_missed(), 20)

    def test_a_backlog_is_worked_off_in_more_than_one_iteration(self) -> None:
        clock = TurningClock()
        queue = WorkQueue(clock, clock.seconds, self.start)
        queue.begin(Window(rate=1000.0, seconds=1.0))
        clock.rightNow += 1.0
        clock.turn()
        self.assertLess(len(self.started), 1000)
        for _ in range(10):
            clock.turn()
        self.assertEqual(len(self.started), 1000)


class ClosedLoop(QueueCase):
    def test_it_fills_the_room_and_goes_on_when_there_is_more(self) -> None:
        self.room = 2
        self.queue.begin(Window())
        self.assertEqual(self.started, [(0.0, 0.0)] * 2)
        self.clock.advance(3.0)
        self.free()
        self.assertEqual(self.started[2:], [(3.0, 3.0)])

    def test_nothing_is_ever_missed(self) -> None:
        self.room = 1
        self.queue.begin(Window())
        self.queue.rest()
        self.assertEqual(self.queue.take_missed(), 0)
        self.free()
        self.assertEqual(len(self.started), 1)


class Stall(SynchronousTestCase):
    """A server that stalls for 500 ms every 5 s, and otherwise answers after 1 ms."""

    def latencies(self, rate: float) -> list[float]:
        clock = Clock()
        measured: list[float] = []
        busy = [0]

        def start(due: float) -> bool:
            if busy[0] == 5:
                return False
            busy[0] += 1
            stalled_for = clock.seconds() % 5.0
            clock.callLater(max(0.001, 0.5 - stalled_for), answer, due)
            return True

        def answer(due: float) -> None:
            busy[0] -= 1
            measured.append(clock.seconds() - due)
            queue.room()

        queue = WorkQueue(clock, clock.seconds, start)
        queue.begin(Window(rate=rate, seconds=20.0))
        clock.pump([0.001] * 20_600)
        queue.rest()
        return sorted(measured)

    def percentile(self, latencies: list[float], percent: float) -> float:
        return latencies[int(len(latencies) * percent / 100)]

    def test_an_open_loop_shows_it_at_p99_and_a_closed_loop_does_not(self) -> None:
        self.assertGreater(self.percentile(self.latencies(rate=200.0), 99.0), 0.4)
        closed = self.latencies(rate=0.0)
        self.assertLess(self.percentile(closed, 99.0), 0.01)
        self.assertGreater(closed[-1], 0.4)
