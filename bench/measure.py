"""Measures one proxy under the load, and all of them in rounds."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater

from bench.cpu import cpu_when_idle
from bench.measurements import Fault, Measurement
from bench.peers.catalogue import Peer, Running, Setup
from bench.process import CannotMeasure, NotInstalled, Program
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.controller import ProgressCallback as LoadProgress
from tlsdemo.loadgen.plan import steps
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult

WARM_UP = 10
"""The part of the connections that warm the proxy up: one tenth, but at least one connection."""

DRAIN_WITHIN = 20.0
"""Seconds without progress after which the sink's connections are given up."""


@dataclass(frozen=True)
class Load:
    """The load on every peer.

    ``task``: its ``connect`` is replaced for each peer.  ``workers``: number of client processes.
    ``limit``: seconds after which a measurement is aborted.
    """

    task: Task
    workers: int
    limit: float


ProgressCallback = Callable[[str, LoadPhase, LoadCounters, float], object]
"""Called with a title, the phase, the counters, and the seconds since connecting began."""


class Bench:
    """Measures peers one after the other, all with the same sink and the same certificates.

    ``on_progress`` is called while one is measured, ``on_measured`` with each measurement.
    """

    def __init__(
        self,
        reactor: Any,
        setup: Setup,
        sink: Program,
        load: Load,
        on_progress: ProgressCallback,
        on_measured: Callable[[Measurement], object],
    ) -> None:
        self._reactor = reactor
        self._setup = setup
        self._sink = sink
        self._load = load
        self._on_progress = on_progress
        self._on_measured = on_measured
        self._current: Controller | None = None
        self.interrupted = False
        self.versions: dict[str, dict[str, str]] = {}

    def interrupt(self) -> None:
        """Abort the current measurement, and begin no other."""
        self.interrupted = True
        if self._current is not None:
            self._current.abort()

    async def rounds(self, peers: Sequence[Peer], count: int) -> list[Measurement]:
        """Measure each peer once in each of ``count`` rounds, in the order A B C A B C.

        A peer that cannot be measured is tried once.  An interruption ends the current round.
        """
        measurements: list[Measurement] = []
        missing: set[str] = set()
        for number in range(1, count + 1):
            for peer in peers:
                if peer.name in missing:
                    continue
                title = f"{number}/{count} {peer.name}"
                self._on_progress(title, LoadPhase.STARTING, LoadCounters(), 0.0)
                try:
                    measured = await self._measure(peer, number, title)
                except CannotMeasure as problem:
                    missing.add(peer.name)
                    missing_program = isinstance(problem, NotInstalled)
                    measured = Measurement(
                        peer.name,
                        number,
                        broken=Fault.NOT_INSTALLED if missing_program else Fault.NOT_STARTED,
                        problem=f"not measured: {problem}",
                    )
                if self.interrupted:
                    return measurements
                measurements.append(measured)
                self._on_measured(measured)
        return measurements

    async def _measure(self, peer: Peer, number: int, title: str) -> Measurement:
        with tempfile.TemporaryDirectory(dir=self._setup.home) as home:
            running = await peer.start(replace(self._setup, home=Path(home)))
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

        def on_progress(phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
            self._on_progress(title, phase, counters, elapsed)
            if phase is LoadPhase.SENDING and phase not in readings.taken:
                # Sending begins when this returns.  Until then the only process that has work to
                # do is the proxy, with its last handshakes.
                readings.take(phase)

        result = await self._run(title, task, running, on_progress)
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
            broken=None if problem is None else Fault.NOT_DONE,
            problem=problem,
        )

    async def _run(
        self,
        name: str,
        task: Task,
        running: Running,
        on_progress: LoadProgress,
    ) -> RunResult:
        task = replace(task, connect=running.connect)
        controller = self._current = Controller(
            *(self._reactor, name, [task], self._load.workers),
            *(steps([0.0], Window()), None, on_progress),
        )
        if self.interrupted:
            controller.abort()
        timer = self._reactor.callLater(self._load.limit, controller.abort)
        try:
            result = await controller.run()
        finally:
            self._current = None
            aborted = not timer.active()
            if not aborted:
                timer.cancel()
        if aborted and not self.interrupted:
            return replace(result, problem=f"not done after {self._load.limit:g} s")
        return result

    async def _drained(self, before: dict[str, Any]) -> dict[str, Any]:
        """Wait until the sink has no connections, or receives nothing more; return its counters."""
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
    """CPU seconds of a proxy at the beginning of each phase."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.taken: dict[LoadPhase, float] = {}
        self.gone = False

    def take(self, phase: LoadPhase) -> None:
        try:
            self.taken[phase] = cpu_when_idle(self._pid)
        except ProcessLookupError:
            self.gone = True

    def between(self, begin: LoadPhase, end: LoadPhase) -> float:
        """Return the difference between two phases; 0 if one of them was not reached."""
        if begin not in self.taken or end not in self.taken:
            return 0.0
        return self.taken[end] - self.taken[begin]
