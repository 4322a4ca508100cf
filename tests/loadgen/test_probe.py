from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeWorker, task
from tlsdemo.loadgen.probe import END_WITHIN, MOST_WAITING, Probe
from tlsdemo.net.probe_line import PROBE_LINE
from tlsdemo.reporting.latencies import LAG, ROUND_TRIP, Latencies
from tlsdemo.reporting.probe_result import ProbeResult

READY_WITHIN, ANSWERS_WITHIN = 5.0, 7.0
RATE = 20.0


def measured() -> dict[int, Any]:
    latencies = Latencies()
    for seconds in (0.010, 0.020):
        latencies.record(ROUND_TRIP, seconds)
    latencies.record(LAG, 0.003)
    return {1: latencies.as_json()}


class ProbeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        load = task(connections=50, packets=8, packet_size=1000, prefill=True, mode="pair")
        self.probe = Probe(self.reactor, load, RATE)
        self.problems: list[str] = []
        self.probe.start()

    @property
    def worker(self) -> FakeWorker:
        worker: FakeWorker
        (worker,) = self.reactor.processes
        return worker

    def opening(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.probe.open(READY_WITHIN))

    def ending(self) -> Deferred[ProbeResult]:
        return Deferred.fromCoroutine(self.probe.end(ANSWERS_WITHIN, self.problems.append))

    def to_sending(self, unmeasured: float = 0.0) -> None:
        opening = self.opening()
        self.worker.report("ready")
        self.worker.report("settled", begun=1, secured=1)
        self.successResultOf(opening)
        self.probe.begin(unmeasured)

    def test_it_has_one_connection_like_those_of_the_load_and_a_line_that_comes_back(self) -> None:
        (given,) = self.worker.messages[0]["tasks"]
        line = PROBE_LINE.decode()
        self.assertEqual((given["connections"], given["mode"]), (1, "pair"))
        self.assertEqual((given["scenario"], given["packets"], given["prefill"]),
                         ("pingpong", 0, False))  # fmt: skip
        self.assertEqual((given["say"], given["expect"]), (line, line))
        self.assertEqual(given["packet_size"], len(PROBE_LINE))

    def test_it_connects_when_the_process_is_ready(self) -> None:
        opening = self.opening()
        self.assertEqual(self.worker.commands, [])
        self.worker.report("ready")
        self.assertEqual(self.worker.commands, ["open"])
        self.assertNoResult(opening)
        self.worker.report("settled")
        self.successResultOf(opening)

    def test_messages_are_due_at_its_rate_until_it_rests(self) -> None:
        self.to_sending(unmeasured=2.0)
        (window,) = self.worker.messages[-1]["windows"]
        self.assertEqual((window["rate"], window["warm_up"]), (RATE, 2.0))
        self.probe.begin(0.0)
        self.probe.rest()
        self.assertEqual(self.worker.commands, ["open", "begin", "rest"])

    def test_it_waits_for_the_last_answers(self) -> None:
        self.to_sending()
        self.probe.rest()
        self.worker.report("settled", packets=2, answered=1, outstanding=1)
        ending = self.ending()
        self.reactor.advance(ANSWERS_WITHIN - 1)
        self.assertEqual(self.worker.commands[-1], "rest")
        self.worker.report("settled", latencies=measured(), packets=2, answered=2, missed=1)
        self.assertEqual(self.worker.commands[-1], "finish")
        self.worker.report("over", packets=2, answered=2, missed=1)
        result = self.successResultOf(ending)
        self.assertEqual((result.rate, result.measured, result.unanswered), (RATE, 2, 0))
        self.assertAlmostEqual(result.at(50.0) or 0, 0.010, 4)
        self.assertAlmostEqual(result.lag or 0, 0.003, 4)
        self.assertIsNone(result.problem)
        self.assertTrue(self.worker.stdin_closed)

    def test_what_is_not_answered_in_time_is_counted(self) -> None:
        self.to_sending()
        self.probe.rest()
        self.worker.report("settled", packets=5, answered=2, outstanding=3)
        ending = self.ending()
        self.reactor.advance(ANSWERS_WITHIN)
        self.assertEqual(self.worker.commands[-1], "abort")
        self.worker.report("over", packets=5, answered=2)
        self.assertEqual(self.successResultOf(ending).unanswered, 3)

    def test_what_was_due_behind_too_many_is_counted_as_well(self) -> None:
        self.to_sending()
        self.probe.rest()
        self.worker.report("settled", packets=MOST_WAITING, missed=7)
        ending = self.ending()
        self.worker.report("over")
        self.assertEqual(self.successResultOf(ending).unanswered, MOST_WAITING + 7)

    def test_a_connection_that_fails_is_the_problem(self) -> None:
        self.to_sending()
        self.probe.rest()
        failed: dict[str, Any] = {"failed": {"truncated": 1}, "details": {"truncated": "cut off"}}
        self.worker.report("over", packets=5, answered=2, **failed)
        result = self.successResultOf(self.ending())
        self.assertEqual((result.problem, result.unanswered), ("truncated: cut off", 3))
        self.assertEqual(self.problems, ["the probe failed: truncated: cut off"])

    def test_a_process_that_ends_is_the_problem(self) -> None:
        opening = self.opening()
        self.worker.die(b"no memory", 1)
        self.successResultOf(opening)
        self.assertIn("no memory", self.successResultOf(self.ending()).problem or "")

    def test_a_process_that_does_not_start_is_killed(self) -> None:
        opening = self.opening()
        self.reactor.advance(READY_WITHIN)
        self.assertEqual(self.worker.signals, ["KILL"])
        self.worker.die(status=-9)
        self.successResultOf(opening)
        self.assertIn("a worker process ended", self.successResultOf(self.ending()).problem or "")

    def test_a_process_that_does_not_end_is_not_waited_for_for_ever(self) -> None:
        self.to_sending()
        self.probe.rest()
        self.worker.report("settled")
        ending = self.ending()
        self.reactor.advance(END_WITHIN)
        self.successResultOf(ending)
        self.assertTrue(self.worker.stdin_closed)
        self.assertEqual(self.worker.signals, ["KILL"])

    def test_aborted_it_is_killed_and_that_is_no_problem_of_its_own(self) -> None:
        self.to_sending()
        ending = self.ending()
        self.probe.abort()
        self.assertEqual(self.worker.signals, ["KILL"])
        self.worker.die(status=-9)
        self.successResultOf(ending)
        self.assertEqual(self.problems, [])

    def test_stopped_it_waits_neither_for_connections_nor_for_answers(self) -> None:
        opening = self.opening()
        self.worker.report("ready")
        self.probe.stop()
        self.successResultOf(opening)
        ending = self.ending()
        self.worker.report("over")
        self.assertEqual(self.successResultOf(ending).measured, 0)

    def test_of_a_load_that_never_began_it_waits_for_nothing(self) -> None:
        opening = self.opening()
        self.worker.report("ready")
        self.worker.report("settled", begun=1, secured=1)
        self.successResultOf(opening)
        ending = self.ending()
        self.assertEqual(self.worker.commands[-1], "finish")
        self.worker.report("over")
        self.successResultOf(ending)

    def test_what_it_has_measured_is_known_meanwhile(self) -> None:
        self.to_sending()
        self.worker.report("settled", latencies=measured())
        self.assertEqual(self.probe.latencies().count(ROUND_TRIP), 2)


class NotStarted(SynchronousTestCase):
    def test_it_ends_at_once(self) -> None:
        probe = Probe(FakeReactor(), task(), RATE)
        ending = Deferred.fromCoroutine(probe.end(ANSWERS_WITHIN, self.fail))
        result = self.successResultOf(ending)
        self.assertEqual((result.measured, result.unanswered, result.problem), (0, 0, None))
