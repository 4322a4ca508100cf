"""Workers that hang: none of the controller's waits lasts longer than it says."""

from __future__ import annotations

from tests.loadgen.controller_case import DURATION, TIMEOUT, ControllerCase
from tests.loadgen.fake_reactor import task
from tlsdemo.loadgen.schedule import SLACK, longest_standstill
from tlsdemo.loadgen.worker_pool import SILENT_WITHIN


class SilentWorkers(ControllerCase):
    def silent(self) -> None:
        """One worker goes silent; expect that it is killed, and that the load ends with that."""
        one, other = self.workers
        for _ in range(2):
            other.report_again()
            self.reactor.advance(SILENT_WITHIN / 2)
        self.assertEqual((one.signals, other.signals), (["KILL"], []))
        self.assertNoResult(self.running)
        one.die(signal=9)
        other.report("over", peers=[], begun=2, clean=2)
        result = self.result()
        self.assertFalse(result.complete)
        self.assertIn("a worker process hangs: it has said nothing for 30 s", str(result.problem))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_that_opens_connections_is_killed(self) -> None:
        self.begin()
        self.report("ready")
        self.report("connecting")
        self.silent()

    def test_one_that_sends_is_killed(self) -> None:
        self.begin(packets=5)
        self.to_sending()
        self.silent()

    def test_one_that_ends_its_connections_is_killed(self) -> None:
        self.begin()
        self.to_draining()
        self.report("settled", begun=2, secured=2)
        self.silent()

    def test_one_that_reports_is_not(self) -> None:
        self.begin(packets=5)
        self.to_sending()
        self.pass_time(10 * SILENT_WITHIN)
        self.assertEqual([worker.signals for worker in self.workers], [[], []])


class WorkersThatDoNotGetOn(ControllerCase):
    def test_while_connections_are_opened_they_are_killed_after_the_timeout(self) -> None:
        self.begin()
        self.report("ready")
        one, other = self.workers
        one.report("connecting", begun=1)
        other.report("settled", begun=2, secured=2)
        self.pass_time(TIMEOUT + SLACK)
        self.assertEqual((one.signals, other.signals), (["KILL"], []))
        one.die(signal=9)
        other.report("over", peers=[])
        self.assertEqual(
            self.result().problem,
            "1 of 2 worker processes hang: for 90 s, longer than the timeouts allow, none of their "
            "connections has been secured or has failed; they were killed",
        )

    def test_whoever_gets_on_is_waited_for(self) -> None:
        self.begin()
        self.report("ready")
        for secured in range(5):
            self.report("connecting", begun=5, secured=secured)
            self.pass_time(TIMEOUT)
        self.assertEqual([worker.signals for worker in self.workers], [[], []])

    def test_while_connections_end_they_are_killed_after_the_longest_timeout(self) -> None:
        self.begin(idle_timeout=100.0, closing_timeout=50.0)
        self.to_draining()
        self.report("settled", begun=2, secured=2)
        self.pass_time(100.0 + SLACK)
        self.assertEqual([worker.signals for worker in self.workers], [["KILL"], ["KILL"]])
        for worker in self.workers:
            worker.die(signal=9)
        self.assertIn("none of their connections has ended", str(self.result().problem))

    def test_packets_may_take_as_long_as_something_moves(self) -> None:
        self.begin(packets=1000, idle_timeout=10.0, closing_timeout=10.0)
        self.to_sending()
        for sent in range(5):
            self.report("settled", begun=2, secured=2, sent=sent)
            self.pass_time(5 * DURATION)
        self.assertEqual([worker.signals for worker in self.workers], [[], []])

    def test_without_a_timeout_there_is_no_such_bound(self) -> None:
        self.begin(idle_timeout=0.0)
        self.to_draining()
        self.report("settled", begun=2, secured=2)
        self.pass_time(100_000)
        self.assertEqual([worker.signals for worker in self.workers], [[], []])


class LongestStandstill(ControllerCase):
    def test_is_that_of_the_slowest_part(self) -> None:
        parts = [task(timeout=5.0), task(timeout=7.0, idle_timeout=9.0, closing_timeout=1.0)]
        self.assertEqual(longest_standstill(parts[1:], opening=True), SLACK + 7.0)
        self.assertEqual(longest_standstill(parts[1:], opening=False), SLACK + 9.0)
        self.assertEqual(longest_standstill(parts, opening=False), SLACK + 600.0)

    def test_a_slow_connect_rate_is_allowed_for(self) -> None:
        self.assertEqual(
            longest_standstill([task(timeout=5.0, rate=0.01)], opening=True), SLACK + 105.0
        )
