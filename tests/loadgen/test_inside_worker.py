from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, task
from tests.loadgen.test_worker import real_task
from tlsdemo.loadgen.inside_worker import InsideWorker
from tlsdemo.loadgen.worker_pool import WorkerPool


class InsideWorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.problems: list[str] = []
        self.pool = WorkerPool(self.reactor, lambda: None, self.problems.append, InsideWorker)

    def turn(self) -> None:
        for _ in range(4):
            self.reactor.advance(0)

    def test_it_works_in_this_process(self) -> None:
        self.pool.start([[real_task(connections=2)]])
        self.assertFalse(self.pool.ready)
        self.turn()
        self.assertTrue(self.pool.ready)
        self.pool.send_command("open")
        self.turn()
        self.assertEqual(len(self.reactor.attempts()), 2)
        self.assertEqual(self.reactor.processes, [])
        self.pool.close()

    def test_what_it_cannot_do_is_told_as_by_a_process(self) -> None:
        self.pool.start([[task(mode="starttls")]])
        self.turn()
        (problem,) = self.problems
        self.assertIn("a worker process ended: ", problem)
        self.assertTrue(self.pool.over)

    def test_it_takes_no_more_when_it_was_given_up(self) -> None:
        written: list[Any] = []
        worker = InsideWorker(self.reactor, written.append)
        worker.write(json.dumps({"tasks": [real_task().as_json()]}).encode() + b"\n")
        worker.kill()
        worker.kill()
        self.turn()
        self.assertEqual(written, [])
        self.assertEqual(self.successResultOf(worker.wait()), 1)
