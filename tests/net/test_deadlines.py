from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.deadlines import Deadlines, deadlines_of


class Waiting:
    """What has a deadline; when it has come, that is logged, and ``then`` is called."""

    due = seconds = 0.0

    def __init__(self, name: object, log: list[tuple[object, float]], clock: Clock) -> None:
        self.name = name
        self.log = log
        self.clock = clock
        self.then = lambda: None

    def expire(self) -> None:
        self.log.append((self.name, self.clock.seconds()))
        self.then()


class DeadlinesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock)
        self.log: list[tuple[object, float]] = []

    def waiting(self, name: object = "it") -> Waiting:
        return Waiting(name, self.log, self.clock)

    def test_each_expires_at_its_deadline(self) -> None:
        for seconds in (5, 2, 9):
            self.deadlines.begin(self.waiting(seconds), seconds)
        self.clock.pump([1] * 10)
        self.assertEqual(self.log, [(2, 2), (5, 5), (9, 9)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_there_is_one_delayed_call_and_none_if_there_is_no_deadline(self) -> None:
        all_of_them = [self.waiting(number) for number in range(10)]
        for number, each in enumerate(all_of_them):
            self.deadlines.begin(each, 5 + number % 3)
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for each in all_of_them:
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
            self.deadlines.cancel(each)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_deadline_is_moved_in_either_direction(self) -> None:
        for first, second in ((5, 9), (9, 5)):
            self.setUp()
            it = self.waiting()
            self.deadlines.begin(it, first)
            self.clock.advance(1)
            self.deadlines.move(it, second)
            self.clock.pump([1] * 12)
            self.assertEqual(self.log, [("it", 1 + second)])

    def test_what_expires_may_begin_another_deadline_and_cancel_others(self) -> None:
        it, other = self.waiting("it"), self.waiting("other")
        self.deadlines.begin(it, 2)
        self.deadlines.begin(other, 2)

        def then() -> None:
            it.then = lambda: None
            self.deadlines.cancel(other)
            self.deadlines.begin(it, 3)

        it.then = then
        self.clock.pump([1] * 6)
        self.assertEqual(self.log, [("it", 2), ("it", 5)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_others_expire_although_one_raises(self) -> None:
        def then() -> None:
            raise ZeroDivisionError

        it, other = self.waiting("it"), self.waiting("other")
        it.then = then
        self.deadlines.begin(it, 2)
        self.deadlines.begin(other, 2)
        self.assertRaises(ZeroDivisionError, self.clock.advance, 2)
        self.clock.advance(0)
        self.assertEqual(self.log, [("it", 2), ("other", 2)])

    def test_a_clock_that_calls_early_is_believed(self) -> None:
        self.deadlines.begin(self.waiting(), 5)
        (call,) = self.clock.getDelayedCalls()
        call.reset(1)
        self.clock.advance(1)
        self.assertEqual(self.log, [("it", 1)])

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3))))
    def test_it_is_as_with_a_delayed_call_for_each(self, steps: list[tuple[int, int, int]]) -> None:
        """``steps``: which one, its seconds (0 to cancel), and how long until the next step."""
        self.setUp()
        expected: list[tuple[object, float]] = []
        all_of_them = [self.waiting(number) for number in range(5)]
        due: dict[int, float] = {}

        def pass_until(now: float) -> None:
            for number in [number for number, at in due.items() if at <= now]:
                expected.append((number, due.pop(number)))

        for number, seconds, pause in steps:
            each = all_of_them[number]
            if number in due and seconds:
                self.deadlines.move(each, seconds)
            elif number in due:
                self.deadlines.cancel(each)
            elif seconds:
                self.deadlines.begin(each, seconds)
            due.pop(number, None)
            if seconds:
                due[number] = self.clock.seconds() + seconds
            for _ in range(pause):
                self.clock.advance(1)
                pass_until(self.clock.seconds())
            self.assertEqual(len(self.clock.getDelayedCalls()), bool(due))
        self.assertEqual(sorted(self.log, key=str), sorted(expected, key=str))

    def test_a_clock_has_the_same_deadlines_each_time(self) -> None:
        self.assertIs(deadlines_of(self.clock), deadlines_of(self.clock))
        self.assertIsNot(deadlines_of(self.clock), deadlines_of(Clock()))
