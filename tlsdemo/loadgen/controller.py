"""One load from beginning to end: connect, send, drain, and ask what arrived."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tlsdemo.loadgen.schedule import Task, split
from tlsdemo.loadgen.status_client import StatusClient, connect_status_client
from tlsdemo.loadgen.worker_pool import WorkerPool
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.snapshot import Snapshot

ASK_EVERY = 0.25


class Phase(enum.Enum):
    """What a load is doing."""

    STARTING = "starting"
    CONNECTING = "connecting"
    SENDING = "sending"
    DRAINING = "draining"
    OVER = "over"


Watcher = Callable[[Phase, LoadCounters, float], object]


class LoadRun:
    """Puts one load on a server.

    ``task.connections`` is the total, divided among ``workers``.  Sending begins when every
    connection has been secured or has failed, and goes on for ``duration`` seconds unless the
    task has a number of packets.  ``status`` is the client endpoint string of the server's status
    service, ``None`` not to ask.  ``watcher`` is told the phase, the tally and the seconds since
    the beginning whenever something is new.
    """

    def __init__(
        self,
        reactor: Any,
        name: str,
        task: Task,
        workers: int,
        duration: float,
        status: str | None,
        watcher: Watcher,
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._task = task
        self._workers = workers
        self._duration = duration
        self._status = status
        self._watcher = watcher
        self._pool = WorkerPool(reactor, self._changed, self._broke)
        self._waiting: tuple[Callable[[], bool], Deferred[None]] | None = None
        self._phase = Phase.STARTING
        self._problem: str | None = None
        self._stopped = False
        self._broken = False
        self._began = 0.0

    # What goes on, in its order.

    async def go(self) -> RunResult:
        """Run, and return what came of it; problems on the way are told in the result."""
        self._began = self._reactor.seconds()
        status_client = await self._connect_status_client()
        if not self._stopped:
            self._pool.start(
                replace(self._task, connections=count)
                for count in split(self._task.connections, self._workers)
            )
        await self._until(lambda: self._pool.ready or self._stopped)
        began = await self._ask(status_client)
        # Starting processes is no part of the time until all are secured.
        self._began = self._reactor.seconds()
        if not self._stopped:
            self._enter(Phase.CONNECTING)
            self._pool.order("open")
        await self._until(lambda: self._pool.settled or self._stopped)
        secured_at = self._reactor.seconds()
        secured = await self._ask(status_client)
        if not self._stopped:
            self._enter(Phase.SENDING)
            self._pool.order("send")
            await self._send()
        self._enter(Phase.DRAINING)
        self._pool.order("finish")
        await self._until(lambda: self._pool.over)
        arrived = await self._arrived(status_client)
        drained = await self._ask(status_client)
        over_at = self._reactor.seconds()
        self._enter(Phase.OVER)
        self._pool.dismiss()
        if status_client is not None:
            status_client.close()
        phases = None
        if began is not None and secured is not None and drained is not None:
            phases = ServerSnapshots(began, secured, drained)
        return RunResult(
            name=self._name,
            connections=self._task.connections,
            counters=self._pool.counters(),
            securing=secured_at - self._began,
            sending=over_at - secured_at,
            arrived=arrived,
            snapshots=phases,
            problem=self._problem,
        )

    def stop(self) -> None:
        """End the run early, in order: close what is open, and tell what came of it."""
        if not self._stopped:
            self._stopped = True
            self._problem = self._problem or "stopped before its end"
            self._changed()

    def abort(self) -> None:
        """Close everything at once."""
        self.stop()
        self._pool.order("abort")

    async def _send(self) -> None:
        if self._task.packets:
            await self._until(lambda: self._pool.over or self._stopped)
            return
        end = self._reactor.seconds() + self._duration
        time_is_up = self._reactor.callLater(self._duration, self._changed)
        await self._until(
            lambda: self._reactor.seconds() >= end or self._pool.over or self._stopped
        )
        if time_is_up.active():
            time_is_up.cancel()

    # Waiting.

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._watch()

    def _watch(self) -> None:
        self._watcher(self._phase, self._pool.counters(), self._reactor.seconds() - self._began)

    def _changed(self) -> None:
        self._watch()
        if self._waiting is not None and self._waiting[0]():
            (_, deferred), self._waiting = self._waiting, None
            deferred.callback(None)

    def _broke(self, problem: str) -> None:
        if not self._stopped:
            self._problem = problem
        self._broken = True
        self.stop()
        self._changed()

    async def _until(self, condition: Callable[[], bool]) -> None:
        if not condition():
            deferred: Deferred[None] = Deferred()
            self._waiting = (condition, deferred)
            await deferred

    # Asking the server.

    async def _connect_status_client(self) -> StatusClient | None:
        if self._status is None:
            return None
        try:
            return await connect_status_client(self._reactor, self._status)
        except Exception as problem:
            self._problem = (
                f"what arrives is not known: no status service at {self._status} ({problem}); "
                "give --status, or --status=none for a server that is not tlsdemo"
            )
            return None

    async def _ask(self, status_client: StatusClient | None) -> Snapshot | None:
        if status_client is None:
            return None
        try:
            return await status_client.snapshot()
        except Exception as problem:
            self._problem = self._problem or f"the status service did not answer: {problem}"
            return None

    async def _arrived(self, status_client: StatusClient | None) -> int | None:
        """Ask until the server has drained, or nothing has changed for the task's timeout."""
        # What a worker knew that died is gone with it.
        if status_client is None or self._broken:
            return None
        sent, peers = self._pool.counters().sent, sorted(set(self._pool.peers()))
        if any(not peer.rpartition(":")[2].isdecimal() for peer in peers):
            self._problem = self._problem or (
                "what arrived is not known: connections over a UNIX socket have no address "
                "that the server could tell them by"
            )
            return None
        last: dict[str, int] = {}
        quiet_since = self._reactor.seconds()
        while True:
            try:
                answer = await status_client.ask(ask="run", name=self._name, sent=sent, peers=peers)
                account = answer["run"]
            except Exception as problem:
                self._problem = self._problem or f"what arrived is not known: {problem}"
                return None
            if account["unknown"]:
                self._problem = self._problem or (
                    f"what arrived is not known: the server at {self._status} does not know "
                    f"{account['unknown']} of our connections"
                )
                return None
            if account["open"] == 0:
                return int(account["arrived"])
            if account != last:
                last, quiet_since = account, self._reactor.seconds()
            elif self._reactor.seconds() - quiet_since > self._task.timeout:
                self._problem = f"the server has not drained {account['open']} connections"
                return int(account["arrived"])
            await deferLater(self._reactor, ASK_EVERY, lambda: None)
