from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor
from tests.loadgen.test_shard import plan
from tests.reporting.test_latencies import recorded
from tests.reporting.test_shard_result import run, shard
from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen import cluster_controller
from tlsdemo.loadgen.cluster_controller import ClusterController
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.loadgen.dask_cluster import CannotUse, ShardOnWorker
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult


class ClusterControllerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.progress: list[tuple[LoadPhase, LoadCounters, float]] = []
        self.outcome: Deferred[None] = succeed(None)
        self.patch(cluster_controller, "deferToThread", self.in_thread)
        reactor: Any = FakeReactor()
        reactor.callFromThread = lambda call: call()
        self.controller = ClusterController(
            reactor, "tcp://a:1", None, plan(), Credentials(Path("a"), Path("b"), Path("c")),
            None,
        )  # fmt: skip
        self.windows: list[tuple[int, float, float]] = []
        self.controller.show(
            lambda *seen: self.progress.append(seen), lambda *seen: self.windows.append(seen)
        )
        self.load = self.controller._load
        self.load.shards = [ShardOnWorker(plan().shard(n, 2), f"tcp://{n}") for n in (1, 2)]

    def in_thread(self, _run: Any, running: Any) -> Deferred[None]:
        running.close()
        return self.outcome

    def result(self) -> RunResult:
        return self.successResultOf(Deferred.fromCoroutine(self.controller.run()))

    def report(self, number: int, phase: str, begun: int) -> None:
        self.load.shards[number - 1].report = {
            "phase": phase, "elapsed": float(begun), "window": 1,
            "counters": LoadCounters(begun=begun).as_json(),
            "latencies": recorded(0.01).as_json(),
        }  # fmt: skip

    def test_progress_is_that_of_all_in_the_phase_of_the_slowest(self) -> None:
        self.report(1, "sending", 3)
        self.load._on_report()
        self.report(2, "connecting", 1)
        self.load._on_report()
        self.assertEqual(
            self.progress,
            [
                (LoadPhase.SENDING, LoadCounters(begun=3), 3.0),
                (LoadPhase.CONNECTING, LoadCounters(begun=4), 3.0),
            ],
        )
        self.assertEqual(self.windows, [(1, 50.0, 2.0)])

    def test_the_result_is_that_of_the_shards_and_names_those_that_were_lost(self) -> None:
        one, two = self.load.shards
        one.result, two.lost = shard(1, run=run()), "the worker is gone"
        self.report(2, "sending", 5)
        result = self.result()
        self.assertEqual(result.problem, "shard 2 lost: the worker is gone")
        self.assertEqual((result.connections, result.complete), (3, False))
        first, lost, last, latency, *more = self.controller.lines()
        self.assertTrue(first.startswith("shard 1 of 2 on here"), first)
        self.assertEqual(lost, "shard 2 of 2 on tcp://2 lost: the worker is gone")
        self.assertIn("its last report, which is not in the figures: 5 connections begun", last)
        self.assertIn("round trip: p50 10.", latency)
        self.assertEqual(more, [])

    def test_if_all_are_lost_there_is_a_result_that_says_so(self) -> None:
        for each in self.load.shards:
            each.lost = "gone"
        self.assertEqual(self.result().problem, "shard 1 lost: gone; shard 2 lost: gone")
        self.assertIsNone(self.controller.unusable)

    def test_a_cluster_that_cannot_be_used_is_told_apart(self) -> None:
        self.load.shards = []
        self.outcome = Deferred()
        self.outcome.errback(Failure(CannotUse("no workers")))
        self.assertFalse(self.result().complete)
        self.assertEqual(self.controller.unusable, "no workers")

    def test_there_are_no_more_shards_than_connections(self) -> None:
        self.assertEqual([each.of for each in self.controller._cut(20)], [7] * 7)
