from __future__ import annotations

import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeWorker, task
from tests.reporting.test_latencies import recorded
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.worker_pool import WorkerPool
from tlsdemo.net.child_process import environment
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.load_counters import LoadCounters


class WorkerPoolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.reports = 0
        self.problems: list[str] = []
        self.pool = WorkerPool(self.reactor, self._reported, self.problems.append)

    def _reported(self) -> None:
        self.reports += 1

    def started(self, *connections: int) -> list[FakeWorker]:
        self.pool.start([task(connections=count)] for count in connections)
        return self.reactor.processes

    def test_each_task_is_the_first_message_to_a_worker_of_its_own(self) -> None:
        workers = self.started(3, 2)
        tasks = [worker.messages for worker in workers]
        self.assertEqual(
            tasks, [[{"tasks": [task(connections=count).as_json()]}] for count in (3, 2)]
        )

    def test_a_worker_is_this_python_running_the_worker_module(self) -> None:
        (worker,) = self.started(1)
        self.assertEqual(worker.arguments, [sys.executable, "-m", "tlsdemo.loadgen.worker"])
        self.assertEqual(worker.env, environment())

    def test_commands_go_to_all_workers(self) -> None:
        workers = self.started(1, 1)
        self.pool.send_command("open")
        self.pool.begin(Window())
        self.assertEqual([worker.commands for worker in workers], [["open", "begin"]] * 2)

    def test_the_counters_of_all_workers_are_added_up(self) -> None:
        one, other = self.started(2, 2)
        one.report("connecting", begun=2, sent=30, failed={"truncated": 1})
        other.report("connecting", begun=1, sent=12, failed={"truncated": 2, "plaintext": 1})
        self.assertEqual(
            self.pool.counters(),
            LoadCounters(begun=3, sent=42, failed={"truncated": 3, "plaintext": 1}),
        )

    def test_the_last_report_counts(self) -> None:
        (worker,) = self.started(1)
        worker.report("connecting", sent=1)
        worker.report("connecting", sent=5)
        self.assertEqual(self.pool.counters().sent, 5)

    def test_each_report_calls_the_callback(self) -> None:
        (worker,) = self.started(1)
        worker.report("ready")
        worker.report("connecting")
        self.assertEqual(self.reports, 2)

    def test_reports_are_read_in_any_chunking(self) -> None:
        written: list[bytes] = []
        (worker,) = self.started(1)
        self.patch(worker.protocol, "outReceived", written.append)
        for state, sent in (("ready", 1), ("connecting", 22), ("settled", 333)):
            worker.report(state, sent=sent)
        reports = b"".join(written)
        for size in range(1, len(reports) + 1):
            self.setUp()
            (worker,) = self.started(1)
            for start in range(0, len(reports), size):
                worker.protocol.outReceived(reports[start : start + size])
            self.assertEqual(self.reports, 3)
            self.assertEqual(self.pool.counters().sent, 333)
            self.assertTrue(self.pool.settled)

    def test_the_slowest_worker_decides_what_all_are(self) -> None:
        one, other = self.started(1, 1)
        seen = []
        for worker, state in (
            (one, "ready"), (other, "ready"), (one, "connecting"), (other, "connecting"),
            (one, "settled"), (other, "settled"), (one, "over"), (other, "over"),
        ):  # fmt: skip
            worker.report(state)
            seen.append((self.pool.ready, self.pool.settled, self.pool.over))
        self.assertEqual(
            seen,
            [(False, False, False)]
            + [(True, False, False)] * 4
            + [(True, True, False)] * 2
            + [(True, True, True)],
        )

    def test_the_peers_of_all_workers_are_listed(self) -> None:
        one, other = self.started(1, 1)
        one.report("over", peers=["127.0.0.1:1"])
        self.assertEqual(self.pool.peers(), ["127.0.0.1:1"])
        other.report("over", peers=["127.0.0.1:2"])
        self.assertEqual(self.pool.peers(), ["127.0.0.1:1", "127.0.0.1:2"])

    def test_closing_the_pool_closes_the_input_of_its_workers(self) -> None:
        workers = self.started(1, 1)
        self.pool.close()
        self.assertEqual([worker.stdin_closed for worker in workers], [True, True])

    def test_a_worker_that_ends_after_its_work_is_no_failure(self) -> None:
        (worker,) = self.started(1)
        worker.report("over", peers=[])
        worker.die(status=1)
        self.assertEqual(self.problems, [])

    def test_a_worker_that_ends_too_early_is_reported_with_its_last_line(self) -> None:
        (worker,) = self.started(1)
        worker.die(b"Traceback (most recent call last):\n  File x\nValueError: no such thing\n")
        self.assertEqual(self.problems, ["a worker process ended: ValueError: no such thing"])

    def test_a_silent_worker_that_ends_too_early_is_reported_with_the_signal(self) -> None:
        (worker,) = self.started(1)
        worker.die(signal=9)
        (problem,) = self.problems
        self.assertIn("signal 9", problem)
        self.assertNotIn("\n", problem)

    def test_a_worker_that_says_what_is_no_report_is_killed_which_is_said_once(self) -> None:
        for line in (b"{", b"[]", b"{}", b'{"cpu": 0, "at": 0, "state": []}', b"[" * 100_000):
            self.problems.clear()
            worker = self.started(1)[-1]
            worker.protocol.outReceived(line + b"\nmore\n")
            text = "a worker process said what is no report, and was killed"
            self.assertEqual(self.problems, [f"{text}: {line[:100]!r}"])
            self.assertEqual(worker.signals, ["KILL"])

    def test_a_worker_that_ended_counts_as_over_and_keeps_its_counters(self) -> None:
        one, other = self.started(1, 1)
        one.report("connecting", begun=1)
        one.die()
        other.report("over", peers=[], begun=1)
        self.assertTrue(self.pool.over)
        self.assertEqual(self.pool.counters().begun, 2)

    def test_commands_to_a_worker_that_ended_are_dropped(self) -> None:
        one, other = self.started(1, 1)
        one.die()
        self.pool.send_command("finish")
        self.pool.close()
        self.assertEqual(one.commands, [])
        self.assertEqual(other.commands, ["finish"])

    def test_without_workers_there_is_nothing_to_wait_for(self) -> None:
        self.pool.send_command("finish")
        self.pool.close()
        self.assertTrue(self.pool.over)
        self.assertEqual(self.pool.counters(), LoadCounters())

    def test_latencies_are_added_up_by_the_window_in_which_work_was_due(self) -> None:
        one, other = self.started(1, 1)
        for worker in (one, other):
            worker.report("ready")
        self.pool.begin(Window(number=1))
        for worker, seconds in ((one, 0.001), (other, 0.002), (one, 0.003)):
            worker.report("settled", latencies={1: recorded(seconds).as_json()})
        one.report("settled", latencies={0: recorded(0.5).as_json()})
        whole = Latencies.total(recorded(each) for each in (0.001, 0.002, 0.003))
        self.assertEqual(self.pool.latencies(1).as_json(), whole.as_json())
        self.assertEqual(self.pool.latencies(0).as_json(), recorded(0.5).as_json())

    def test_each_worker_rests_when_what_it_began_is_done(self) -> None:
        one, other = self.started(1, 1)
        self.pool.begin(Window(number=1))
        self.pool.send_command("rest")
        one.report("settled")
        self.assertFalse(self.pool.resting(1))
        other.report("settled", outstanding=3)
        self.assertEqual((self.pool.resting(1), self.pool.outstanding), (False, 3))
        other.report("settled")
        self.assertTrue(self.pool.resting(1))

    def test_the_load_of_a_worker_is_that_of_a_window_until_it_rests(self) -> None:
        (worker,) = self.started(1)
        self.pool.begin(Window(number=1))
        for cpu, at in ((1.0, 10.0), (2.5, 12.0)):
            worker.report("settled", cpu=cpu, at=at)
        self.pool.send_command("rest")
        worker.report("settled", cpu=9.0, at=20.0)
        self.assertEqual([load.cpu for load in self.pool.loads(1)], [0.75])

    def test_a_part_with_a_rate_of_its_own_keeps_it(self) -> None:
        self.pool.start([[task(), task(work_rate=5.0)]])
        (worker,) = self.reactor.processes
        self.pool.begin(Window(rate=2.0))
        self.assertEqual([each["rate"] for each in worker.messages[-1]["windows"]], [2.0, 5.0])
