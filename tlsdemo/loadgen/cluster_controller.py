"""Controls a load that a cluster puts on, and adds up what its shards report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any

from twisted.internet.threads import deferToThread

from tlsdemo.certificates.files import Credentials
from tlsdemo.loadgen.controller import LoadPhase, ProgressCallback, WindowCallback
from tlsdemo.loadgen.dask_cluster import CannotUse, DaskLoad, ShardOnWorker
from tlsdemo.loadgen.scenario_catalogue import packets_that_end
from tlsdemo.loadgen.shard import BadPlan, LoadPlan, Shard
from tlsdemo.loadgen.shard_process import credentials_as_json
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.shard_result import ShardResult, merged_run
from tlsdemo.reporting.shard_text import shard_line, together_lines
from tlsdemo.reporting.window_text import latency_lines

_PHASES = list(LoadPhase)


class ClusterController:
    """Puts a load on a server from the workers of a Dask cluster.

    ``address``: of the scheduler; ``None`` for ``workers`` processes on this machine.  ``status``:
    the client endpoint string of the server's status service, or ``None``.  The files of
    ``credentials`` are those at the same paths on each worker's machine.

    Attributes:
        unusable: Why the cluster could not be used at all, in one line.
    """

    def __init__(
        self,
        reactor: Any,
        address: str | None,
        workers: int | None,
        plan: LoadPlan,
        credentials: Credentials,
        status: str | None,
    ) -> None:
        self._reactor = reactor
        self._plan = plan
        self._on_progress: ProgressCallback = lambda *_: None
        self._on_window: WindowCallback = lambda *_: None
        self._window = 0
        self.unusable: str | None = None
        files = credentials_as_json(credentials)
        self._load = DaskLoad(
            address,
            workers,
            f"tlsdemo-{plan.digest}",
            self._cut,
            lambda shard: {"shard": shard.as_json(), "credentials": files, "status": status},
            lambda: reactor.callFromThread(self._reported),
        )

    def show(self, on_progress: ProgressCallback, on_window: WindowCallback) -> None:
        """Have its progress shown, as that of a `Controller`."""
        self._on_progress, self._on_window = on_progress, on_window

    def _cut(self, workers: int) -> list[Shard]:
        of = min(workers, self._plan.most_shards())
        try:
            return [self._plan.shard(number, of) for number in range(1, of + 1)]
        except BadPlan as problem:
            raise CannotUse(str(problem)) from None

    async def run(self) -> RunResult:
        """Run the load; problems do not raise, they are part of the result."""
        self._on_progress(LoadPhase.STARTING, LoadCounters(), 0.0)
        try:
            await deferToThread(asyncio.run, self._load.run())
        except CannotUse as problem:
            self.unusable = str(problem)
        self._on_progress(LoadPhase.OVER, LoadCounters(), 0.0)
        lost = [
            f"shard {each.shard.number} lost: {each.lost}" for each in self._shards if each.lost
        ]
        if self.results:
            return merged_run(self.results, lost)
        why = self.unusable or "; ".join(lost) or "stopped before its start"
        return RunResult(
            self._plan.name, self._plan.connections, LoadCounters(), 0.0, 0.0, problem=why
        )

    def stop(self) -> None:
        """End the load early; the result is that of what was done."""
        self._load.stop_soon()

    def abort(self) -> None:
        """End the load early, without waiting for the server."""
        self._load.stop_soon(abort=True)

    @property
    def _shards(self) -> Sequence[ShardOnWorker]:
        return self._load.shards

    @property
    def results(self) -> list[ShardResult]:
        """The results of the shards that were not lost."""
        return [each.result for each in self._shards if each.result is not None]

    def lines(self) -> list[str]:
        """Return what each shard did, and what is known of those that were lost."""
        lines = []
        for each in self._shards:
            if each.result is not None:
                lines.append(shard_line(each.result))
            else:
                lines += lost_lines(each)
        return [*lines, *(together_lines(self.results) if self.results else ())]

    def _reported(self) -> None:
        reports = [each.report for each in self._shards if each.report is not None]
        counters = LoadCounters.total(LoadCounters.from_json(each["counters"]) for each in reports)
        phase = min((LoadPhase(each["phase"]) for each in reports), key=_PHASES.index)
        self._on_progress(phase, counters, max(each["elapsed"] for each in reports))
        number = max(each["window"] for each in reports)
        if number > self._window:
            self._window = number
            window = self._plan.windows[number - 1]
            ends_itself = packets_that_end(self._plan.parts) > 0
            self._on_window(number, window.rate, inf if ends_itself else window.length)


def lost_lines(each: ShardOnWorker) -> list[str]:
    """Return what is known of a shard that was lost: its last report, which counts nowhere."""
    lines = [f"shard {each.shard.number} of {each.shard.of} on {each.worker} lost: {each.lost}"]
    if each.report is not None:
        counters = LoadCounters.from_json(each.report["counters"])
        lines.append(
            f"  its last report, which is not in the figures: {counters.begun:,} connections "
            f"begun, {counters.secured:,} secured, {counters.failures:,} failed"
        )
        latencies = Latencies.from_json(each.report["latencies"])
        lines += [f"  {line}" for line in latency_lines(latencies)]
    return lines
