from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.test_load_service import FakeController
from tlsdemo.loadgen.load_series import LoadSeries
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult

GOOD = RunResult("run", 1, LoadCounters(begun=1, secured=1, clean=1), 0.0, 0.0)
HOPELESS = RunResult("run", 1, LoadCounters(begun=1, failed={"refused": 1}), 0.0, 0.0)


class ALoadSeries(SynchronousTestCase):
    def setUp(self) -> None:
        self.made: dict[str, FakeController] = {}
        self.series = LoadSeries(["a", "b", "c"], self.make)
        self.running = Deferred.fromCoroutine(self.series.run())

    def make(self, turn: str) -> Any:
        return cast(Any, self.made.setdefault(turn, FakeController()))

    def test_begins_a_load_when_the_one_before_is_over(self) -> None:
        for turn, begun in (("a", ["a"]), ("b", ["a", "b"]), ("c", ["a", "b", "c"])):
            self.assertEqual([*self.made], begun)
            self.made[turn].done.callback(GOOD)
        results = self.successResultOf(self.running)
        self.assertEqual(results, [("a", GOOD), ("b", GOOD), ("c", GOOD)])

    def test_ends_with_a_load_that_had_no_connection(self) -> None:
        self.made["a"].done.callback(HOPELESS)
        self.assertEqual(self.successResultOf(self.running), [("a", HOPELESS)])

    def test_that_is_stopped_ends_with_the_load_that_runs(self) -> None:
        self.made["a"].done.callback(GOOD)
        self.series.stop()
        self.assertEqual([each.stops for each in self.made.values()], [0, 1])
        self.made["b"].done.callback(GOOD)
        self.assertEqual(self.successResultOf(self.running), [("a", GOOD), ("b", GOOD)])

    def test_that_is_aborted_aborts_the_load_that_runs(self) -> None:
        self.made["a"].done.callback(GOOD)
        self.series.abort()
        self.assertEqual([each.aborts for each in self.made.values()], [0, 1])
        self.made["b"].done.callback(GOOD)
        self.assertEqual(self.successResultOf(self.running), [("a", GOOD), ("b", GOOD)])

    def test_that_is_stopped_before_it_begins_runs_nothing(self) -> None:
        series = LoadSeries(["a"], self.make)
        series.stop()
        running = Deferred.fromCoroutine(series.run())
        self.assertEqual(self.successResultOf(running), [])
