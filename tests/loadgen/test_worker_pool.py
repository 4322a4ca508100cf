from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import tlsdemo
from tests.loadgen.fake_reactor import FakeProcess, FakeReactor, task
from tlsdemo.loadgen.worker_pool import WorkerPool, environment
from tlsdemo.reporting.load_counters import LoadCounters


class CrewTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.changes = 0
        self.problems: list[str] = []
        self.pool = WorkerPool(self.reactor, self._changed, self.problems.append)

    def _changed(self) -> None:
        self.changes += 1

    def started(self, *connections: int) -> list[FakeProcess]:
        self.pool.start(task(connections=count) for count in connections)
        return self.reactor.processes

    def test_each_task_gets_a_worker_that_is_told_it_first(self) -> None:
        workers = self.started(3, 2)
        tasks = [worker.messages for worker in workers]
        self.assertEqual(tasks, [[{"task": task(connections=count).as_json()}] for count in (3, 2)])

    def test_a_worker_is_this_python_running_the_worker_module(self) -> None:
        (worker,) = self.started(1)
        self.assertEqual(worker.arguments, [sys.executable, "-m", "tlsdemo.loadgen.worker"])
        self.assertEqual(worker.env, environment())

    def test_orders_go_to_all(self) -> None:
        workers = self.started(1, 1)
        self.pool.order("open")
        self.pool.order("send")
        self.assertEqual([worker.orders for worker in workers], [["open", "send"]] * 2)

    def test_the_figures_of_all_are_added_up(self) -> None:
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

    def test_each_report_is_told(self) -> None:
        (worker,) = self.started(1)
        worker.report("ready")
        worker.report("connecting")
        self.assertEqual(self.changes, 2)

    def test_reports_arrive_whole_in_any_chunking(self) -> None:
        reports = b"".join(
            json.dumps({"state": state, "counters": LoadCounters(sent=sent).as_json()}).encode()
            + b"\n"
            for state, sent in (("ready", 1), ("connecting", 22), ("settled", 333))
        )
        for size in range(1, len(reports) + 1):
            self.setUp()
            (worker,) = self.started(1)
            for start in range(0, len(reports), size):
                worker.protocol.outReceived(reports[start : start + size])
            self.assertEqual(self.changes, 3)
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

    def test_peers_are_those_of_all(self) -> None:
        one, other = self.started(1, 1)
        one.report("over", peers=["127.0.0.1:1"])
        self.assertEqual(self.pool.peers(), ["127.0.0.1:1"])
        other.report("over", peers=["127.0.0.1:2"])
        self.assertEqual(self.pool.peers(), ["127.0.0.1:1", "127.0.0.1:2"])

    def test_a_dismissed_worker_has_its_input_closed(self) -> None:
        workers = self.started(1, 1)
        self.pool.dismiss()
        self.assertEqual([worker.dismissed for worker in workers], [True, True])

    def test_a_worker_that_ends_after_its_work_is_no_problem(self) -> None:
        (worker,) = self.started(1)
        worker.report("over", peers=[])
        worker.die()
        self.assertEqual(self.problems, [])

    def test_one_that_dies_is_told_in_one_line_with_its_last_words(self) -> None:
        (worker,) = self.started(1)
        worker.die(b"Traceback (most recent call last):\n  File x\nValueError: no such thing\n")
        self.assertEqual(self.problems, ["a worker process ended: ValueError: no such thing"])

    def test_one_that_dies_without_a_word_is_told_with_the_signal(self) -> None:
        (worker,) = self.started(1)
        worker.die(signal=9)
        (problem,) = self.problems
        self.assertIn("signal 9", problem)
        self.assertNotIn("\n", problem)

    def test_of_endless_last_words_only_the_end_is_kept(self) -> None:
        (worker,) = self.started(1)
        for _ in range(20):
            worker.protocol.errReceived(b"no" * 4096)
        worker.die(b"\nthe end")
        self.assertEqual(self.problems, ["a worker process ended: the end"])
        self.assertLess(len(worker.protocol._errors), 1 << 15)

    def test_one_that_died_holds_nobody_up_and_keeps_its_figures(self) -> None:
        one, other = self.started(1, 1)
        one.report("connecting", begun=1)
        one.die()
        other.report("over", peers=[], begun=1)
        self.assertTrue(self.pool.over)
        self.assertEqual(self.pool.counters().begun, 2)

    def test_orders_after_its_death_do_no_harm(self) -> None:
        one, other = self.started(1, 1)
        one.die()
        self.pool.order("finish")
        self.pool.dismiss()
        self.assertEqual(one.orders, [])
        self.assertEqual(other.orders, ["finish"])

    def test_without_workers_there_is_nothing_to_wait_for(self) -> None:
        self.pool.order("finish")
        self.pool.dismiss()
        self.assertTrue(self.pool.over)
        self.assertEqual(self.pool.counters(), LoadCounters())


class Environment(SynchronousTestCase):
    def setUp(self) -> None:
        self.ours = str(Path(tlsdemo.__file__).parent.parent)

    def paths(self, before: str) -> list[str]:
        self.patch(os, "environ", {"PYTHONPATH": before, "HOME": "/home"})
        self.assertEqual(environment()["HOME"], "/home")
        return environment()["PYTHONPATH"].split(os.pathsep)

    def test_this_package_is_found_before_any_other(self) -> None:
        self.assertEqual(self.paths("/a:/b"), [self.ours, "/a", "/b"])

    def test_it_is_not_named_twice(self) -> None:
        self.assertEqual(self.paths(f"/a:{self.ours}"), [self.ours, "/a"])

    def test_no_empty_path_brings_in_the_current_directory(self) -> None:
        self.assertEqual(self.paths(""), [self.ours])

    def test_a_child_imports_this_very_package(self) -> None:
        child = subprocess.run(
            [sys.executable, "-c", "import tlsdemo; print(tlsdemo.__file__)"],
            env=environment(), cwd="/", capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        self.assertEqual(child.stdout.strip(), tlsdemo.__file__)
