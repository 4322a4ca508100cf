"""One proxy under the load, and all of them in turn."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from bench.cpu import cpu_at_rest
from bench.figures import Measurement, Trouble
from bench.peers.catalogue import Peer, Place, Running
from bench.process import CannotMeasure, NotHere, Program
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult

WARM_UP = 10
"""A tenth of the connections, but not less than one, warm the proxy up before it is measured."""

DRAIN_WITHIN = 20.0
"""Seconds without any progress that a proxy may take to close its connections to the sink."""


@dataclass(frozen=True)
class Load:
    """The load that every peer gets: ``task`` without its ``connect``, from ``workers``.

    ``limit``: seconds after which a proxy that is not done is given up.
    """

    task: Task
    workers: int
    limit: float


Progress = Callable[[str, LoadPhase, LoadCounters, float], object]


class Bench:
    """Measures peers one after the other, all with the same sink and the same certificates.

    ``show`` is told how each gets on, ``tell`` what came of it.
    """

    def __init__(
        self,
        reactor: Any,
        place: Place,
        sink: Program,
        load: Load,
        show: Progress,
        tell: Callable[[Measurement], object],
    ) -> None:
        self._reactor = reactor
        self._place = place
        self._sink = sink
        self._load = load
        self._show = show
        self._tell = tell
        self._current: Controller | None = None
        self.interrupted = False
        self.versions: dict[str, dict[str, str]] = {}

    def interrupt(self) -> None:
        """End what goes on, soon and in order."""
        self.interrupted = True
        if self._current is not None:
            self._current.abort()

    async def rounds(self, peers: Sequence[Peer], count: int) -> list[Measurement]:
        """Measure each peer once a round, ``count`` rounds: A B C A B C …; fewer if interrupted.

        A peer that cannot be had is tried once.
        """
        measurements: list[Measurement] = []
        missing: set[str] = set()
        for number in range(1, count + 1):
            for peer in peers:
                if peer.name in missing:
                    continue
                self._show(f"{number}/{count} {peer.name}", LoadPhase.STARTING, LoadCounters(), 0.0)
                try:
                    measured = await self._measure(peer, number, f"{number}/{count} {peer.name}")
                except CannotMeasure as problem:
                    missing.add(peer.name)
                    here = not isinstance(problem, NotHere)
                    measured = Measurement(
                        peer.name,
                        number,
                        broken=Trouble.NOT_STARTED if here else Trouble.NOT_HERE,
                        problem=f"not measured: {problem}",
                    )
                if self.interrupted:
                    return measurements
                measurements.append(measured)
                self._tell(measured)
        return measurements

    async def _measure(self, peer: Peer, number: int, title: str) -> Measurement:
        with tempfile.TemporaryDirectory(dir=self._place.home) as home:
            running = await peer.start(replace(self._place, home=Path(home)))
            try:
                self.versions[peer.name] = running.versions
                if not self.interrupted:
                    await self._warm_up(running)
                if self.interrupted:
                    return Measurement(peer.name, number)
                return await self._under_load(running, peer.name, number, title)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    await running.stop()

    async def _warm_up(self, running: Running) -> None:
        task = self._load.task
        few = replace(task, connections=max(1, task.connections // WARM_UP))
        await self._run("warm-up", few, running, lambda *_: None)
        await self._drained(await self._sink.ask())

    async def _under_load(
        self, running: Running, peer: str, number: int, title: str
    ) -> Measurement:
        task = self._load.task
        readings = _Readings(running.pid)
        events_before = await running.snapshot()
        sink_before = await self._sink.ask()
        readings.take(LoadPhase.CONNECTING)

        def watch(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
            self._show(title, phase, counters, elapsed)
            if phase is LoadPhase.SENDING and phase not in readings.taken:
                # Sending is ordered when this returns: until then nobody has anything to do but
                # the proxy, with its last handshakes.
                readings.take(phase)

        result = await self._run(title, task, running, watch)
        sink = await self._drained(sink_before)
        readings.take(LoadPhase.OVER)
        events = None
        if events_before is not None and not readings.gone:
            after = await running.snapshot()
            events = after.since(events_before).events if after is not None else None
        problem = "the proxy has ended" if readings.gone else result.problem
        return Measurement(
            peer=peer,
            round=number,
            connections=task.connections,
            packets_each=task.packets,
            packet_size=task.packet_size,
            secured=result.counters.secured,
            failed=dict(result.counters.failed),
            packets=result.counters.packets,
            sent=result.counters.sent,
            arrived=sink["received"] - sink_before["received"],
            cpu_securing=readings.between(LoadPhase.CONNECTING, LoadPhase.SENDING),
            cpu_sending=readings.between(LoadPhase.SENDING, LoadPhase.OVER),
            seconds_securing=result.securing,
            seconds_sending=result.sending,
            events=events,
            broken=None if problem is None else Trouble.NOT_DONE,
            problem=problem,
        )

    async def _run(
        self,
        name: str,
        task: Task,
        running: Running,
        watch: Callable[[LoadPhase, LoadCounters, float], None],
    ) -> RunResult:
        task = replace(task, connect=running.connect)
        run = Controller(self._reactor, name, task, self._load.workers, 0.0, None, watch)
        self._current = run
        if self.interrupted:
            run.abort()
        late = self._reactor.callLater(self._load.limit, run.abort)
        try:
            result = await run.run()
        finally:
            self._current = None
            if late.active():
                late.cancel()
                late = None
        if late is not None and not self.interrupted:
            return replace(result, problem=f"not done after {self._load.limit:g} s")
        return result

    async def _drained(self, before: dict[str, Any]) -> dict[str, Any]:
        """Wait until the sink has nobody connected, or gets nothing more; return its figures."""
        last, since = before, self._reactor.seconds()
        while True:
            now = await self._sink.ask()
            if now != last:
                last, since = now, self._reactor.seconds()
            quiet = self._reactor.seconds() - since
            if not now["open"] or quiet > DRAIN_WITHIN or self.interrupted:
                return now
            await deferLater(self._reactor, 0.05, lambda: None)


class _Readings:
    """The CPU seconds of a proxy at the beginning of each phase."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.taken: dict[LoadPhase, float] = {}
        self.gone = False

    def take(self, phase: LoadPhase) -> None:
        try:
            self.taken[phase] = cpu_at_rest(self._pid)
        except ProcessLookupError:
            self.gone = True

    def between(self, begin: LoadPhase, end: LoadPhase) -> float:
        """Return what was spent; 0 if the run did not come that far."""
        if begin not in self.taken or end not in self.taken:
            return 0.0
        return self.taken[end] - self.taken[begin]
