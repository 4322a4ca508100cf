from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor
from tlsdemo.loadgen.load_service import LoadService
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult

RESULT = RunResult("run", 1, LoadCounters(), 0.0, 0.0)


class FakeController:
    """A controller whose load ends when ``done`` fires."""

    def __init__(self) -> None:
        self.done: Deferred[RunResult] = Deferred()
        self.stops = self.aborts = 0

    async def run(self) -> RunResult:
        return await self.done

    def stop(self) -> None:
        self.stops += 1

    def abort(self) -> None:
        self.aborts += 1


class LoadServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.controller = cast(Any, FakeController())
        self.finished: list[RunResult | None] = []
        self.service = LoadService(self.reactor, self.controller, self.finished.append)

    def start(self) -> None:
        self.service.startService()
        self.begin()

    def begin(self) -> None:
        for function, arguments, keywords in self.reactor.whenRunningHooks:
            function(*arguments, **keywords)

    def test_it_begins_when_the_reactor_runs(self) -> None:
        self.controller.done.callback(RESULT)
        self.service.startService()
        self.assertEqual(self.finished, [])
        self.begin()
        self.assertEqual(self.finished, [RESULT])

    def test_when_the_load_ends_the_result_is_handed_over_and_the_reactor_stops(self) -> None:
        self.start()
        self.assertFalse(self.reactor.hasStopped)
        self.controller.done.callback(RESULT)
        self.assertEqual(self.finished, [RESULT])
        self.assertTrue(self.reactor.hasStopped)

    def test_a_load_that_runs_can_be_aborted(self) -> None:
        self.service.abort()
        self.start()
        self.assertIsNotNone(self.service.stopService())
        self.assertEqual((self.controller.stops, self.controller.aborts), (1, 0))
        self.service.abort()
        self.assertEqual(self.controller.aborts, 1)
        self.controller.done.callback(RESULT)
        self.service.abort()
        self.assertEqual(self.controller.aborts, 1)

    def test_a_controller_that_raises_is_logged_and_there_is_no_result(self) -> None:
        self.start()
        self.controller.done.errback(ZeroDivisionError())
        self.assertEqual(self.finished, [None])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(self.reactor.hasStopped)

    def test_a_callback_that_raises_is_logged_and_called_again_without_a_result(self) -> None:
        def show(result: RunResult | None) -> None:
            self.finished.append(result)
            if result is not None:
                raise BrokenPipeError

        self.service = LoadService(self.reactor, self.controller, show)
        self.start()
        self.controller.done.callback(RESULT)
        self.assertEqual(self.finished, [RESULT, None])
        self.assertEqual(len(self.flushLoggedErrors(BrokenPipeError)), 1)
        self.assertTrue(self.reactor.hasStopped)

    def test_stopping_it_ends_the_load_and_waits_for_the_result(self) -> None:
        self.start()
        stopping = self.service.stopService()
        assert stopping is not None
        self.assertEqual(self.controller.stops, 1)
        self.assertNoResult(stopping)
        self.controller.done.callback(RESULT)
        self.assertEqual(self.finished, [RESULT])
        self.successResultOf(stopping)

    def test_a_reactor_that_is_stopping_is_not_stopped_again(self) -> None:
        self.start()
        self.service.stopService()
        self.controller.done.callback(RESULT)
        self.assertFalse(self.reactor.hasStopped)

    def test_stopping_it_before_it_began_does_not_wait(self) -> None:
        self.service.startService()
        self.assertIsNone(self.service.stopService())
        self.assertEqual(self.controller.stops, 0)

    def test_stopping_it_after_the_end_does_not_wait(self) -> None:
        self.start()
        self.controller.done.callback(RESULT)
        self.assertIsNone(self.service.stopService())
