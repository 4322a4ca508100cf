"""A load that the workers of a Dask cluster put on, a shard each.

The shards are not Dask tasks.  The scheduler runs a task of a worker that has died once more, with
no word about it, which would put a part of the load on the server twice; one that is bound to its
worker it waits for without end.  So each worker is called with ``Client.run``, which comes back
with an error if the worker dies.  Dask runs on an event loop of its own, in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

from distributed import Client, LocalCluster

import tlsdemo
from tlsdemo.loadgen.dask_worker import clock, leave_terminal, run_shard, tell_shard
from tlsdemo.loadgen.shard import Shard
from tlsdemo.reporting.plain_values import BadValues
from tlsdemo.reporting.shard_result import ShardResult

T = TypeVar("T")

ANSWER_WITHIN = 20.0
"""Seconds that the scheduler, or a worker, has for an answer."""

READY_WITHIN = 60.0
"""Seconds that the processes of the shards, and those of a local cluster, have to start."""

SILENT_WITHIN = 60.0
"""Seconds without a report after which a shard is lost."""

START_AFTER = 1.0
"""Seconds until the agreed time, once every shard is ready."""

STOP_WITHIN = 10.0
"""Seconds for the end of the connections to a cluster, and of a local one."""

CLOCK_QUESTIONS = 5
"""How often each clock is asked for; the answer that came fastest counts."""


class CannotUse(Exception):
    """The cluster cannot put on the load; the text is one line.  Nothing was started."""


class ShardOnWorker:
    """A shard, and the worker that runs it."""

    def __init__(self, shard: Shard, worker: str) -> None:
        self.shard = shard
        self.worker = worker
        self.clock = (0.0, 0.0)
        self.ready = asyncio.Event()
        self.heard_at = time.monotonic()
        self.report: Mapping[str, Any] | None = None
        self.result: ShardResult | None = None
        self.lost = ""


class DaskLoad:
    """One load on a cluster; all of it runs in the event loop of :meth:`run`.

    ``address``: of the scheduler, or ``None`` for a cluster of ``workers`` processes on this
    machine.  ``cut`` returns the shards for so many workers.  ``task`` returns what the process of
    a shard is told.  ``on_report`` is called after each report of a shard, in the thread of the
    event loop.
    """

    def __init__(
        self,
        address: str | None,
        workers: int | None,
        topic: str,
        cut: Callable[[int], Sequence[Shard]],
        task: Callable[[Shard], Mapping[str, Any]],
        on_report: Callable[[], object],
    ) -> None:
        self._address = address
        self._workers = workers
        self._topic = topic
        self._cut = cut
        self._task = task
        self._on_report = on_report
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self.shards: list[ShardOnWorker] = []

    def stop_soon(self, abort: bool = False) -> None:
        """End the load early, from any thread; ``abort``: without waiting for the server."""
        self._stopping = True
        loop, message = self._loop, {"abort" if abort else "stop": True}
        if loop is not None:
            with suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._tell_all(**message)))

    async def run(self) -> None:
        """Run every shard; what became of each is in `shards`.  Raises CannotUse."""
        self._loop = asyncio.get_running_loop()
        # It tells in many lines what is said here in one.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        async with AsyncExitStack() as stack:
            self._client = client = await self._connected(stack)
            if self._address is None:
                await self._answer(client.run(leave_terminal), "a worker")
            workers = await self._workers_of(client)
            self.shards = [
                ShardOnWorker(shard, worker)
                for shard, worker in zip(self._cut(len(workers)), workers, strict=False)
            ]
            await asyncio.gather(*(self._measure_clock(each) for each in self.shards))
            client.subscribe_topic(self._topic, self._reported)
            running = [asyncio.ensure_future(self._run_shard(each)) for each in self.shards]
            try:
                await self._all_ready(running)
                start_at = time.time() + START_AFTER
                for each in self.shards:
                    await self._tell(each, start_at=start_at + each.clock[0])
                await asyncio.gather(*running)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    # The cluster.

    @property
    def _where(self) -> str:
        return "the local cluster" if self._address is None else f"the cluster at {self._address}"

    async def _connected(self, stack: AsyncExitStack) -> Any:
        where: Any = self._address
        try:
            if where is None:
                cluster = LocalCluster(
                    n_workers=self._workers or 1,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=None,
                    memory_limit=0,
                    asynchronous=True,
                    silence_logs=logging.CRITICAL,
                )
                stack.push_async_callback(_within, cluster.close(timeout=STOP_WITHIN))
                where = await asyncio.wait_for(cluster, READY_WITHIN)
            else:
                await self._reach(where)
            client = Client(where, asynchronous=True, timeout=ANSWER_WITHIN)
            stack.push_async_callback(_close, client)
            return await asyncio.wait_for(client, ANSWER_WITHIN)
        # Dask raises what it likes, such as TypeError without certificates for tls://.
        except Exception as problem:
            within = READY_WITHIN if self._address is None else ANSWER_WITHIN
            why = " ".join(str(problem).split()) or f"no answer within {within:g} s"
            raise CannotUse(f"cannot use {self._where}: {why}") from None

    async def _reach(self, address: str) -> None:
        """Fail at once if nobody listens there: Dask would try for long."""
        host, _, port = address.partition("://")[2].rpartition(":")
        opening = asyncio.open_connection(host.strip("[]"), int(port))
        _, writer = await asyncio.wait_for(opening, ANSWER_WITHIN)
        writer.close()

    async def _workers_of(self, client: Any) -> list[str]:
        known = sorted(await self._answer(client.nthreads(), "the scheduler"))
        wanted = self._workers or len(known)
        if not known:
            raise CannotUse(f"{self._where} has no workers; start some")
        if len(known) < wanted:
            raise CannotUse(f"--workers is {wanted}, and {self._where} has {len(known)}")
        return known[:wanted]

    async def _answer(self, asked: Any, whose: str) -> Any:
        try:
            return await asyncio.wait_for(asked, ANSWER_WITHIN)
        except asyncio.TimeoutError:
            raise CannotUse(f"{whose} has not answered within {ANSWER_WITHIN:g} s") from None

    async def _measure_clock(self, each: ShardOnWorker) -> None:
        """Ask for the time: it was told between the question and the answer."""
        best: tuple[float, float] | None = None
        for _ in range(CLOCK_QUESTIONS):
            before, began = time.time(), time.monotonic()
            asked = self._client.run(clock, workers=[each.worker], on_error="return")
            answer = (await self._answer(asked, each.worker)).get(each.worker)
            took = time.monotonic() - began
            if not isinstance(answer, tuple):
                raise CannotUse(f"{each.worker} has no tlsdemo of this version: {answer}")
            told, version = answer
            if version != tlsdemo.__version__:
                raise CannotUse(
                    f"{each.worker} has tlsdemo {version}, and this is {tlsdemo.__version__}"
                )
            if best is None or took / 2 < best[1]:
                best = told - (before + took / 2), took / 2
        assert best is not None
        each.clock = best

    # The shards.

    async def _run_shard(self, each: ShardOnWorker) -> None:
        asked = asyncio.ensure_future(
            self._client.run(
                run_shard,
                dict(self._task(each.shard)),
                self._topic,
                workers=[each.worker],
                on_error="return",
            )
        )
        each.heard_at = time.monotonic()
        try:
            while not asked.done():
                left = each.heard_at + SILENT_WITHIN - time.monotonic()
                if left <= 0:
                    each.lost = f"it has said nothing for {SILENT_WITHIN:g} s"
                    return
                await asyncio.wait([asked], timeout=left)
            answer = asked.result().get(each.worker)
            if isinstance(answer, BaseException) or answer is None:
                each.lost = _one_line(answer)
                return
            result = ShardResult.from_json(answer, each.worker)
            each.result = result.measured_with(each.clock)
        except BadValues as problem:
            each.lost = f"its result is not understood: {problem}"
        except Exception as problem:
            each.lost = _one_line(problem)
        finally:
            asked.cancel()
            each.ready.set()

    async def _all_ready(self, running: Sequence[asyncio.Future[None]]) -> None:
        waiting = asyncio.gather(*(each.ready.wait() for each in self.shards))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(waiting, READY_WITHIN)
        if self._stopping:
            raise CannotUse("stopped before its start")
        for each, task in zip(self.shards, running, strict=True):
            if task.done() or not each.ready.is_set():
                why = each.lost or f"its process was not ready after {READY_WITHIN:g} s"
                raise CannotUse(f"shard {each.shard.number} on {each.worker}: {why}")

    async def _tell_all(self, **message: object) -> None:
        await asyncio.gather(*(self._tell(each, **message) for each in self.shards))

    async def _tell(self, each: ShardOnWorker, **message: object) -> None:
        asked = self._client.run(
            tell_shard, self._topic, message, workers=[each.worker], on_error="return"
        )
        # If it is lost, that is seen elsewhere.
        with suppress(Exception):
            await asyncio.wait_for(asked, ANSWER_WITHIN)

    def _reported(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, report = event
        each = self.shards[report["shard"] - 1]
        each.heard_at = time.monotonic()
        if report.get("ready"):
            each.ready.set()
        else:
            each.report = report
            self._on_report()


async def _within(ending: Any) -> None:
    with suppress(Exception):
        await asyncio.wait_for(ending, STOP_WITHIN)


async def _close(client: Any) -> None:
    await _within(client.close(timeout=STOP_WITHIN))


def _one_line(problem: object) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__
