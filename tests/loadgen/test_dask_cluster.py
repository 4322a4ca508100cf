"""The load of a cluster, with a Dask client that is played by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import tlsdemo
from tests.loadgen.test_shard import plan
from tests.reporting.test_shard_result import shard as shard_result
from tlsdemo.loadgen import dask_cluster
from tlsdemo.loadgen.dask_cluster import CannotUse, DaskLoad
from tlsdemo.loadgen.dask_worker import clock, run_shard, tell_shard
from tlsdemo.loadgen.shard import Shard

WORKERS = ["tcp://one:1", "tcp://two:2"]
SCHEDULER = "tcp://127.0.0.1:9"
FAR = 1000.0
"""Seconds by which the clock of the second worker is ahead."""


class FakeClient:
    """Answers as two workers do; ``shards`` has what becomes of the shard of each."""

    def __init__(self, shards: dict[str, Callable[[FakeClient, str], Awaitable[object]]]) -> None:
        self.shards = shards
        self.told: list[tuple[str, Any]] = []
        self.version = tlsdemo.__version__
        self.report: Callable[[tuple[float, Any]], object] = lambda _: None

    async def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(self.shards, 1)

    def subscribe_topic(self, _topic: str, report: Any) -> None:
        self.report = report

    async def run(self, function: Any, *arguments: Any, workers: Any, on_error: str) -> Any:
        (worker,) = workers
        assert on_error == "return"
        if function is clock:
            ahead = FAR if worker == WORKERS[1] else 0.0
            return {worker: (time.time() + ahead, self.version)}
        if function is tell_shard:
            self.told.append((worker, arguments[1]))
            return {worker: True}
        assert function is run_shard
        return {worker: await self.shards[worker](self, worker)}

    def say(self, worker: str, **report: Any) -> None:
        self.report((0.0, {"shard": WORKERS.index(worker) + 1, **report}))


async def until_told(client: FakeClient, worker: str) -> None:
    client.say(worker, ready=True)
    while not any(each == worker for each, _ in client.told):
        await asyncio.sleep(0)


async def works(client: FakeClient, worker: str) -> object:
    await until_told(client, worker)
    client.say(worker, phase="sending", counters={}, elapsed=1.0)
    return shard_result(WORKERS.index(worker) + 1).as_json()


async def dies(client: FakeClient, worker: str) -> object:
    await until_told(client, worker)
    return OSError("the worker is\ngone")


async def fails_to_start(_client: FakeClient, _worker: str) -> object:
    return RuntimeError("no such file")


async def goes_silent(client: FakeClient, worker: str) -> object:
    await until_told(client, worker)
    return await asyncio.Event().wait()


async def never_ready(_client: FakeClient, _worker: str) -> object:
    return await asyncio.Event().wait()


async def talks_nonsense(client: FakeClient, worker: str) -> object:
    await until_told(client, worker)
    return {"schema": 1}


class DaskLoadCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reports = 0
        self.client: Any = FakeClient({})

    def load(self, one: Any, two: Any, workers: int | None = None) -> DaskLoad:
        self.client.shards = {WORKERS[0]: one, WORKERS[1]: two}
        client = self.client

        class Connected(DaskLoad):
            async def _connected(self, stack: AsyncExitStack) -> Any:
                return client

        def cut(of: int) -> list[Shard]:
            return [plan().shard(number, of) for number in range(1, of + 1)]

        return Connected(
            SCHEDULER, workers, "topic", cut, lambda shard: {"shard": shard.as_json()}, self.count
        )

    def count(self) -> None:
        self.reports += 1

    def run_load(self, load: DaskLoad) -> list[str]:
        asyncio.run(asyncio.wait_for(load.run(), 30))
        return [each.lost for each in load.shards]

    def unusable(self, load: DaskLoad) -> str:
        return str(self.assertRaises(CannotUse, asyncio.run, load.run()))


class Shards(DaskLoadCase):
    def test_all_start_at_the_same_time_each_by_its_own_clock(self) -> None:
        load = self.load(works, works)
        self.assertEqual(self.run_load(load), ["", ""])
        self.assertEqual(self.reports, 2)
        (one, first), (two, second) = self.client.told
        self.assertEqual([one, two], WORKERS)
        self.assertLess(abs(second["start_at"] - first["start_at"] - FAR), 0.5)
        ahead, error = load.shards[1].clock
        self.assertLessEqual(abs(ahead - FAR), error + 0.001)
        result = load.shards[1].result
        assert result is not None
        self.assertEqual((result.clock, result.source), ((ahead, error), WORKERS[1]))

    def test_one_that_dies_is_lost_and_the_other_is_not(self) -> None:
        load = self.load(dies, works)
        self.assertEqual(self.run_load(load), ["OSError: the worker is gone", ""])
        self.assertIsNone(load.shards[0].result)
        self.assertIsNotNone(load.shards[1].result)
        self.assertEqual([worker for worker, _ in self.client.told], WORKERS)

    def test_one_that_goes_silent_is_lost(self) -> None:
        self.patch(dask_cluster, "SILENT_WITHIN", 0.2)
        self.assertEqual(
            self.run_load(self.load(works, goes_silent)), ["", "it has said nothing for 0.2 s"]
        )

    def test_one_whose_result_is_not_understood_is_lost(self) -> None:
        _, lost = self.run_load(self.load(works, talks_nonsense))
        self.assertIn("its result is not understood: ", lost)

    def test_fewer_workers_can_be_asked_for(self) -> None:
        load = self.load(works, never_ready, workers=1)
        self.assertEqual(self.run_load(load), [""])
        self.assertEqual((load.shards[0].shard.of, len(load.shards)), (1, 1))

    def test_they_are_told_to_stop(self) -> None:
        async def is_stopped(client: FakeClient, worker: str) -> object:
            await until_told(client, worker)
            load.stop_soon()
            load.stop_soon(abort=True)
            for message in ({"stop": True}, {"abort": True}):
                while (worker, message) not in client.told:
                    await asyncio.sleep(0)
            return shard_result(1).as_json()

        load = self.load(is_stopped, is_stopped)
        self.assertEqual(self.run_load(load), ["", ""])


class Refusals(DaskLoadCase):
    """Nothing is started if not every shard can be."""

    def test_a_shard_that_cannot_be_run(self) -> None:
        load = self.load(works, fails_to_start)
        self.assertEqual(self.unusable(load), "shard 2 on tcp://two:2: RuntimeError: no such file")
        self.assertEqual(self.client.told, [])

    def test_a_process_that_is_not_ready_in_time(self) -> None:
        self.patch(dask_cluster, "READY_WITHIN", 0.1)
        load = self.load(works, never_ready)
        self.assertEqual(
            self.unusable(load), "shard 2 on tcp://two:2: its process was not ready after 0.1 s"
        )
        self.assertEqual(self.client.told, [])

    def test_a_worker_with_another_version(self) -> None:
        self.client.version = "0.1"
        self.assertIn(" has tlsdemo 0.1, and this is ", self.unusable(self.load(works, works)))

    def test_too_few_workers(self) -> None:
        self.assertEqual(
            self.unusable(self.load(works, works, workers=3)),
            f"--workers is 3, and the cluster at {SCHEDULER} has 2",
        )

    def test_no_workers(self) -> None:
        load = self.load(works, works)
        self.client.shards = {}
        self.assertIn("has no workers; start some", self.unusable(load))

    def test_a_scheduler_that_does_not_answer(self) -> None:
        self.patch(dask_cluster, "ANSWER_WITHIN", 0.1)
        self.patch(self.client, "nthreads", lambda: asyncio.Event().wait())
        self.assertEqual(
            self.unusable(self.load(works, works)), "the scheduler has not answered within 0.1 s"
        )

    def test_nobody_at_the_address(self) -> None:
        load = DaskLoad("tcp://127.0.0.1:1", None, "topic", lambda _: [], lambda _: {}, self.count)
        self.assertIn("cannot use the cluster at tcp://127.0.0.1:1: ", self.unusable(load))

    def test_stopped_before_its_start(self) -> None:
        load = self.load(works, works)
        load.stop_soon()
        self.assertEqual(self.unusable(load), "stopped before its start")
        self.assertEqual(self.client.told, [])
