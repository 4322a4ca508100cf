"""How a load ends when something fails, and when it is stopped."""

from __future__ import annotations

from typing import Any

from tests.loadgen.controller_case import DURATION, STATUS, ControllerCase
from tlsdemo.loadgen.controller import ABORT_WITHIN, READY_WITHIN, LoadPhase
from tlsdemo.loadgen.status_client import ANSWER_WITHIN
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult


class Problems(ControllerCase):
    def problem(self) -> str:
        result = self.result()
        self.assertFalse(result.complete)
        assert result.problem is not None
        self.assertNotIn("\n", result.problem)
        return result.problem

    def test_without_a_status_service_it_runs_and_the_message_says_what_to_do(self) -> None:
        self.begin(status=STATUS)
        (attempt,) = self.reactor.attempts()
        attempt.refuse()
        self.to_over(sent=50)
        self.assertIn(f"no status service at {STATUS} (connection refused: ", self.problem())
        self.assertIn("--status=none", self.problem())
        self.assertIsNone(self.result().arrived)
        self.assertIsNone(self.result().snapshots)

    def test_a_status_service_that_is_lost_is_a_problem(self) -> None:
        self.begin_with_status()
        self.report("ready")
        self.server.loseConnection()
        self.report("settled")
        self.reactor.attempts()[1].refuse()
        self.reactor.advance(DURATION)
        self.end()
        for _ in ("what arrived", "the last snapshot"):
            self.reactor.attempts()[-1].refuse()
        self.assertIn("the status service did not answer: ", self.problem())
        self.assertIsNone(self.result().snapshots)

    def test_a_status_service_that_closes_an_idle_connection_is_no_problem(self) -> None:
        self.begin_with_status()
        self.report("ready")
        self.server.loseConnection()
        self.report("settled")
        self.server.accept(self.reactor.attempts()[1])
        self.reactor.advance(DURATION)
        self.end()
        self.assertTrue(self.result().complete)
        self.assertIsNotNone(self.result().snapshots)

    def test_a_status_service_with_absurd_answers_is_a_problem(self) -> None:
        for answer in ({}, {"unknown": 0}, {"unknown": 0, "open": 0, "arrived": "1"}, 1):
            self.setUp()
            self.server.answers["run"] = lambda _, answer=answer: {"run": answer}  # type: ignore[misc]
            self.begin_with_status()
            self.to_over()
            self.assertIn("what arrived is not known: ", self.problem())
            self.assertIsNone(self.result().arrived)

    def test_a_status_service_that_does_not_answer_does_not_block_the_load(self) -> None:
        self.server.answers.clear()
        self.begin_with_status()
        self.report("ready")
        self.pass_time(ANSWER_WITHIN)
        self.report("settled")
        self.reactor.advance(DURATION)
        self.end()
        self.assertIn("the status service did not answer: ", self.problem())

    def test_a_status_service_that_answers_with_an_error_is_a_problem(self) -> None:
        self.server.answers["run"] = lambda _: {"error": "no idea"}
        self.begin_with_status()
        self.to_over()
        self.assertEqual(self.problem(), "what arrived is not known: no idea")

    def test_connections_that_the_server_does_not_know_are_a_problem(self) -> None:
        self.drained["unknown"] = 3
        self.begin_with_status()
        self.to_over()
        self.assertIn(f"the server at {STATUS} does not know 3 of our connections", self.problem())
        self.assertIsNone(self.result().arrived)

    def test_connections_over_a_unix_socket_cannot_be_identified(self) -> None:
        self.begin_with_status()
        self.to_draining()
        self.report("over", peers=["UNIXAddress(None)"], begun=2, secured=2, clean=2)
        self.assertIn("connections over a UNIX socket have no address", self.problem())
        self.assertIsNone(self.result().arrived)

    def test_a_worker_that_dies_ends_the_load_cleanly(self) -> None:
        self.begin_with_status()
        self.to_sending()
        one, other = self.workers
        one.die(b"MemoryError")
        self.assertEqual(other.commands, ["open", "begin", "rest", "finish"])
        other.report("over", peers=[], sent=10)
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")

    def test_workers_that_do_not_start_in_time_are_killed(self) -> None:
        self.begin(workers=2)
        one, other = self.workers
        one.report("ready")
        self.pass_time(READY_WITHIN)
        one.report("over", peers=[])
        self.assertEqual((one.signals, other.signals), ([], ["KILL"]))
        other.die(signal=9)
        self.assertIn(
            "1 of 2 worker processes were not ready to connect after 60 s", self.problem()
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_of_several_workers_that_die_the_first_is_the_problem(self) -> None:
        self.begin()
        one, other = self.workers
        one.die(b"MemoryError")
        other.die(b"no more workers")
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")

    def test_what_the_connections_of_a_dead_worker_sent_is_not_counted_as_lost(self) -> None:
        self.begin_with_status()
        self.to_sending()
        one, other = self.workers
        one.report("settled", sent=50)
        one.die()
        other.report("over", peers=["127.0.0.1:1"], sent=50)
        self.assertIsNone(self.result().lost)

    def test_a_worker_that_dies_while_draining_does_not_block_the_load(self) -> None:
        self.begin()
        self.to_draining()
        one, other = self.workers
        other.report("over", peers=[])
        one.die(b"MemoryError")
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")


class Hopeless(ControllerCase):
    cause = "handshake timeout"

    def failing(self, failures: int, **counters: Any) -> None:
        self.report("ready")
        for worker in self.workers:
            failed = {self.cause: failures}
            worker.report("connecting", failed=failed, details={self.cause: "a"}, **counters)

    def test_a_load_of_which_no_connection_is_secured_ends_soon(self) -> None:
        self.begin(connections=1000)
        self.failing(9)
        self.assertNotIn("finish", self.commands())
        self.failing(10)
        self.assertEqual(self.commands(), ["open", "finish"])
        self.end()
        result = self.result()
        self.assertEqual(result.problem, "stopped, as no connection could be secured")

    def test_one_whose_first_connection_cannot_be_made_ends_at_once(self) -> None:
        self.cause = "connection refused"
        self.begin(scenario="churn", rates=[1.0])
        self.report("ready")
        self.report("settled")
        self.assertEqual(self.commands(), ["open", "begin"])
        self.reactor.advance(0.1)
        for worker in self.workers:
            worker.report("settled", begun=1, failed={self.cause: 1})
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish"])
        self.end(clean=0)
        self.assertEqual(self.result().problem, "stopped, as no connection could be secured")
        self.assertLess(self.reactor.seconds(), 1)

    def test_it_goes_on_if_one_was_secured(self) -> None:
        self.begin(connections=1000)
        self.failing(500, secured=1)
        self.assertEqual(self.commands(), ["open"])


class Stopping(ControllerCase):
    def stopped(self) -> RunResult:
        result = self.result()
        self.assertEqual(result.problem, "stopped before its end")
        self.assertFalse(result.complete)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        return result

    def test_before_the_status_service_is_connected_no_worker_is_started(self) -> None:
        self.reactor.advance(1000)
        self.begin(status=STATUS).stop()
        self.assertEqual(self.progress, [(LoadPhase.STARTING, LoadCounters(), 0.0)])
        (attempt,) = self.reactor.attempts()
        self.server.accept(attempt)
        self.assertEqual(self.workers, [])
        self.stopped()

    def test_while_workers_are_starting_nothing_is_opened(self) -> None:
        self.begin_with_status().stop()
        self.assertEqual(self.commands(), ["finish"])
        self.report("over", peers=[])
        self.stopped()

    def test_while_connecting_what_is_open_is_closed(self) -> None:
        controller = self.begin_with_status()
        self.report("ready")
        controller.stop()
        self.assertEqual(self.commands(), ["open", "finish"])
        self.report("over", peers=[])
        self.stopped()
        self.assertNotIn(LoadPhase.SENDING, self.phases())

    def test_while_sending_it_goes_on_to_drain_and_asks_what_arrived(self) -> None:
        self.drained["arrived"] = 100
        controller = self.begin_with_status()
        self.to_sending()
        controller.stop()
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish"])
        self.assertNoResult(self.running)
        self.end(sent=50)
        self.assertEqual(self.stopped().lost, 0)

    def test_while_sending_packets_it_goes_on_to_drain(self) -> None:
        controller = self.begin(packets=1000)
        self.to_sending()
        controller.stop()
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish"])
        self.end()
        self.stopped()

    def test_while_draining_it_still_waits_for_the_end(self) -> None:
        controller = self.begin_with_status()
        self.to_draining()
        controller.stop()
        self.assertNoResult(self.running)
        self.end()
        self.stopped()

    def test_a_worker_that_ends_afterwards_is_not_reported(self) -> None:
        controller = self.begin()
        controller.stop()
        for worker in self.workers:
            worker.die(b"KeyboardInterrupt")
        self.stopped()

    def test_twice_has_the_same_effect_as_once(self) -> None:
        controller = self.begin()
        self.to_sending()
        controller.stop()
        controller.stop()
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish"])
        self.end()
        self.stopped()

    def test_an_earlier_problem_is_kept(self) -> None:
        controller = self.begin(status=STATUS)
        (attempt,) = self.reactor.attempts()
        attempt.refuse()
        controller.stop()
        self.report("over", peers=[])
        self.assertIn("no status service", str(self.result().problem))

    def test_aborting_sends_the_workers_that_command(self) -> None:
        controller = self.begin()
        self.to_sending()
        controller.abort()
        self.assertEqual(self.commands(), ["open", "begin", "rest", "finish", "abort"])
        self.end()
        self.stopped()

    def test_aborting_waits_neither_for_workers_nor_for_the_server(self) -> None:
        controller = self.begin_with_status()
        self.to_sending()
        controller.stop()
        self.reactor.advance(ABORT_WITHIN)
        self.assertNoResult(self.running)
        controller.abort()
        self.reactor.advance(ABORT_WITHIN)
        for worker in self.workers:
            self.assertEqual(worker.signals, ["KILL"])
            worker.die(signal=9)
        self.assertIsNone(self.stopped().lost)

    def test_workers_that_have_not_started_are_not_waited_for(self) -> None:
        controller = self.begin()
        self.workers[0].report("ready")
        controller.stop()
        self.assertEqual([worker.signals for worker in self.workers], [[], ["KILL"]])
        self.workers[1].die(signal=9)
        self.workers[0].report("over", peers=[])
        self.stopped()
