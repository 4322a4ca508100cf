"""How a run ends when something goes wrong on the way, and when it is stopped."""

from __future__ import annotations

from tests.loadgen.played_load import DURATION, STATUS, RunCase
from tlsdemo.loadgen.controller import Phase
from tlsdemo.loadgen.status_client import ANSWER_WITHIN
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult


class Problems(RunCase):
    def problem(self) -> str:
        result = self.result()
        self.assertFalse(result.complete)
        assert result.problem is not None
        self.assertNotIn("\n", result.problem)
        return result.problem

    def test_without_a_status_service_it_runs_and_says_what_to_do(self) -> None:
        self.begin(status=STATUS)
        (attempt,) = self.reactor.attempts()
        attempt.refuse()
        self.to_over(sent=50)
        self.assertIn(f"no status service at {STATUS} (Connection was refused", self.problem())
        self.assertIn("--status=none", self.problem())
        self.assertIsNone(self.result().arrived)
        self.assertIsNone(self.result().snapshots)

    def test_a_status_service_that_is_lost_is_told(self) -> None:
        self.asking()
        self.report("ready")
        self.server.loseConnection()
        self.report("settled")
        self.reactor.advance(DURATION)
        self.end()
        self.assertIn("the status service did not answer: ", self.problem())
        self.assertIsNone(self.result().snapshots)

    def test_a_status_service_that_says_nothing_does_not_hold_it_up(self) -> None:
        self.server.answers.clear()
        self.asking()
        self.report("ready")
        self.reactor.advance(ANSWER_WITHIN)
        self.report("settled")
        self.reactor.advance(DURATION)
        self.end()
        self.assertIn("the status service did not answer: ", self.problem())

    def test_one_that_does_not_understand_the_question_is_told(self) -> None:
        self.server.answers["run"] = lambda _: {"error": "no idea"}
        self.asking()
        self.to_over()
        self.assertEqual(self.problem(), "what arrived is not known: no idea")

    def test_connections_that_the_server_does_not_know_are_told(self) -> None:
        self.drained["unknown"] = 3
        self.asking()
        self.to_over()
        self.assertIn(f"the server at {STATUS} does not know 3 of our connections", self.problem())
        self.assertIsNone(self.result().arrived)

    def test_connections_over_a_unix_socket_cannot_be_told_apart(self) -> None:
        self.asking()
        self.to_draining()
        self.report("over", peers=["UNIXAddress(None)"], begun=2, secured=2, clean=2)
        self.assertIn("connections over a UNIX socket have no address", self.problem())
        self.assertIsNone(self.result().arrived)

    def test_a_worker_that_dies_ends_the_run_in_order(self) -> None:
        self.asking()
        self.to_sending()
        one, other = self.workers
        one.die(b"MemoryError")
        self.assertEqual(other.orders, ["open", "send", "finish"])
        other.report("over", peers=[], sent=10)
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")

    def test_of_several_that_die_the_first_is_told(self) -> None:
        self.begin()
        one, other = self.workers
        one.die(b"MemoryError")
        other.die(b"no more workers")
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")

    def test_what_a_dead_workers_connections_delivered_is_not_called_lost(self) -> None:
        self.asking()
        self.to_sending()
        one, other = self.workers
        one.report("settled", sent=50)
        one.die()
        other.report("over", peers=["127.0.0.1:1"], sent=50)
        self.assertIsNone(self.result().lost)

    def test_a_worker_that_dies_while_draining_holds_nothing_up(self) -> None:
        self.begin()
        self.to_draining()
        one, other = self.workers
        other.report("over", peers=[])
        one.die(b"MemoryError")
        self.assertEqual(self.problem(), "a worker process ended: MemoryError")


class Stopping(RunCase):
    def stopped(self) -> RunResult:
        result = self.result()
        self.assertEqual(result.problem, "stopped before its end")
        self.assertFalse(result.complete)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        return result

    def test_before_it_is_known_what_arrives_no_worker_is_started(self) -> None:
        self.reactor.advance(1000)
        self.begin(status=STATUS).stop()
        self.assertEqual(self.watched, [(Phase.STARTING, LoadCounters(), 0.0)])
        (attempt,) = self.reactor.attempts()
        self.server.accept(attempt)
        self.assertEqual(self.workers, [])
        self.stopped()

    def test_while_workers_are_starting_nothing_is_opened(self) -> None:
        self.asking().stop()
        self.assertEqual(self.orders(), ["finish"])
        self.report("over", peers=[])
        self.stopped()

    def test_while_connecting_what_is_open_is_closed(self) -> None:
        run = self.asking()
        self.report("ready")
        run.stop()
        self.assertEqual(self.orders(), ["open", "finish"])
        self.report("over", peers=[])
        self.stopped()
        self.assertNotIn(Phase.SENDING, self.phases())

    def test_while_sending_it_goes_on_to_drain_and_asks_what_arrived(self) -> None:
        self.drained["arrived"] = 100
        run = self.asking()
        self.to_sending()
        run.stop()
        self.assertEqual(self.orders(), ["open", "send", "finish"])
        self.assertNoResult(self.going)
        self.end(sent=50)
        self.assertEqual(self.stopped().lost, 0)

    def test_while_sending_packets_it_goes_on_to_drain(self) -> None:
        run = self.begin(packets=1000)
        self.to_sending()
        run.stop()
        self.assertEqual(self.orders(), ["open", "send", "finish"])
        self.end()
        self.stopped()

    def test_while_draining_it_still_waits_for_that(self) -> None:
        run = self.asking()
        self.to_draining()
        run.stop()
        self.assertNoResult(self.going)
        self.end()
        self.stopped()

    def test_a_worker_that_ctrl_c_reached_too_is_no_other_problem(self) -> None:
        run = self.begin()
        run.stop()
        for worker in self.workers:
            worker.die(b"KeyboardInterrupt")
        self.stopped()

    def test_twice_is_as_good_as_once(self) -> None:
        run = self.begin()
        self.to_sending()
        run.stop()
        run.stop()
        self.assertEqual(self.orders(), ["open", "send", "finish"])
        self.end()
        self.stopped()

    def test_what_went_wrong_before_is_told_rather(self) -> None:
        run = self.begin(status=STATUS)
        (attempt,) = self.reactor.attempts()
        attempt.refuse()
        run.stop()
        self.report("over", peers=[])
        self.assertIn("no status service", str(self.result().problem))

    def test_aborting_closes_everything_at_once(self) -> None:
        run = self.begin()
        self.to_sending()
        run.abort()
        self.assertEqual(self.orders(), ["open", "send", "finish", "abort"])
        self.end()
        self.stopped()
