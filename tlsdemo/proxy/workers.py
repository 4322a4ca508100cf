"""The server as several worker processes, which this one supervises.

Theory of operation.  This process binds the sockets (`SharedListeners`), starts the workers, adds
up their counters, and answers for all of them: the status service, the lines of statistics, the
summary.  It accepts no connections.  A worker that ends is replaced; its open connections are lost,
and counted as such.  One that hangs is killed, and so replaced.  When the server stops, this
process closes its sockets first, and then has the workers drain.  A worker ends by itself when this
process has gone away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, gatherResults, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IListeningPort
from twisted.internet.task import LoopingCall

from tlsdemo.close_reasons import Cause
from tlsdemo.net.addresses import endpoint_text
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.runtime_folder import STATUS
from tlsdemo.proxy.connection_registry import ConnectionTotals
from tlsdemo.proxy.listening import listen, with_private_mode
from tlsdemo.proxy.run_query import RunQuery
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.shared_listeners import SharedListeners
from tlsdemo.proxy.start_lines import log_start
from tlsdemo.proxy.status_listening import listen_for_this_user
from tlsdemo.proxy.status_service import Answers, StatusFactory
from tlsdemo.proxy.worker_process import CHECK_EVERY, Answer, WorkerProcess
from tlsdemo.reporting.run_text import run_line, statistics_line, summary_lines
from tlsdemo.reporting.snapshot import Snapshot

STOP_MARGIN = 10.0
"""Seconds that a worker has to end after its connections have."""

RESTART_DELAYS = (0.0, 1.0, 5.0, 30.0)
"""Seconds until a worker is replaced, by how many in its place have ended early before."""

EARLY = 10.0
"""Seconds of life; a worker that ends earlier has ended early."""

Told = Callable[[int, WorkerProcess], object]

_Read = TypeVar("_Read")

MakeCommand = Callable[[int, Sequence[str]], Sequence[str]]

_log = PrintableLogger(namespace="tlsdemo")


class Workers(Service):
    """Serves according to ``settings`` with ``count`` workers.

    ``command`` returns the command of the worker with an index from 0, which has to listen on the
    given endpoint strings.
    """

    def __init__(
        self,
        settings: ServerSettings,
        reactor: Any,
        count: int,
        command: MakeCommand,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._count = count
        self._command = command
        self._cpu = cpu
        self._workers: dict[int, WorkerProcess] = {}
        self._on_start: list[Told] = []
        self._on_end: list[Told] = []
        self._early = [0] * count
        self._restarts: dict[int, IDelayedCall] = {}
        self._gone = Snapshot()
        self._lag_ever = 0.0
        self._before = Snapshot()
        self._status: StatusFactory | None = None
        self._ports: list[IListeningPort] = []
        self._is_stopping = False
        self._open_at_stop = 0
        self._looping = LoopingCall(self._log_statistics)
        self._looping.clock = reactor
        self._checking = LoopingCall(self._check)
        self._checking.clock = reactor

    # Starting.

    def privilegedStartService(self) -> None:
        """Bind all endpoints; raises CannotStart if that is not possible."""
        self._listeners = SharedListeners(self._reactor, self._settings.listen, self._count)
        if self._settings.status not in (None, STATUS):
            self._status = self._status_factory()
            self._listen(with_private_mode(self._settings.status))

    def startService(self) -> None:
        """Start the workers, and log what they serve."""
        super().startService()
        if self._settings.status == STATUS:
            # Not before: only now is the process that of the user whom twistd --uid names.
            self._status = self._status_factory()
            listen_for_this_user(self._listeners.addresses(), self._listen)
        for index in range(self._count):
            self._start_worker(index)
        self._before = self.total()
        self._looping.start(self._settings.interval, now=False)
        self._checking.start(CHECK_EVERY, now=False)
        log_start(self._settings, self.listening(), self._count)

    def _status_factory(self) -> StatusFactory:
        return StatusFactory(self._answers, self._reactor)

    def _listen(self, where: str) -> None:
        assert self._status is not None
        self._ports.append(listen(self._reactor, where, self._status))

    def _start_worker(self, index: int) -> None:
        self._restarts.pop(index, None)
        worker = WorkerProcess(
            self._reactor,
            self._command(index, self._listeners.endpoints()),
            self._listeners.descriptors(index),
            index + 1,
        )
        self._workers[index] = worker
        worker.ended.addCallback(self._ended, index, worker)
        for call in self._on_start:
            call(index, worker)

    def _check(self) -> None:
        for worker in self._workers.values():
            worker.check()

    @property
    def processes(self) -> Mapping[int, WorkerProcess]:
        """The workers that run, by their index from 0."""
        return self._workers

    @property
    def count(self) -> int:
        """How many workers there have to be."""
        return self._count

    def on_start(self, call: Told) -> None:
        """Call ``call`` with the index and the process of each worker that is started."""
        self._on_start.append(call)

    def on_end(self, call: Told) -> None:
        """Call ``call`` with the index and the process of each worker that has ended."""
        self._on_end.append(call)

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return [endpoint_text(each) for each in self._listeners.addresses()]

    # A worker has ended.

    def _ended(self, how: str, index: int, worker: WorkerProcess) -> None:
        del self._workers[index]
        lost = worker.snapshot.open
        failed = {**worker.snapshot.failed}
        if lost:
            failed[Cause.WORKER_ENDED.value] = failed.get(Cause.WORKER_ENDED.value, 0) + lost
        self._gone = Snapshot.total(
            [self._gone, replace(worker.snapshot, open=0, lag=0.0, failed=failed)]
        )
        if worker.final is not None:
            self._open_at_stop += int(worker.final["open_at_stop"])
            self._lag_ever = max(self._lag_ever, float(worker.final["lag"]))
        for call in self._on_end:
            call(index, worker)
        if self._is_stopping:
            return
        is_early = self._reactor.seconds() - worker.began < EARLY
        self._early[index] = self._early[index] + 1 if is_early else 0
        delay = RESTART_DELAYS[min(self._early[index], len(RESTART_DELAYS) - 1)]
        _log.error(
            "worker {worker} {how}; its {lost} open connections are lost, and it is replaced "
            "{when}",
            worker=worker.number,
            how=how,
            lost=lost,
            when=f"in {delay:g} s" if delay else "now",
        )
        self._restarts[index] = self._reactor.callLater(delay, self._start_worker, index)

    # Reporting.

    def total(self, lag: float = 0.0) -> Snapshot:
        """Return the sum of the counters that the workers have told last, with ``lag``."""
        total = Snapshot.total([self._gone, *(each.snapshot for each in self._workers.values())])
        return replace(total, at=self._reactor.seconds(), cpu=total.cpu + self._cpu(), lag=lag)

    async def _ask_all(self, read: Callable[[Answer], _Read], **query: object) -> list[_Read]:
        """Return what ``read`` returns for the answers of the workers that answer in time."""
        outcomes = await DeferredList(
            [each.ask(read, **query) for each in self._workers.values()], consumeErrors=True
        )
        return [answer for succeeded, answer in outcomes if succeeded]

    async def _snapshot(self) -> Snapshot:
        # Not that of the snapshots: the web pages ask for these as well, with a lag of their own.
        lags = await self._ask_all(lambda each: each["statistics"]["lag"], ask="statistics")
        lag = max(lags, default=0.0)
        self._lag_ever = max(self._lag_ever, lag)
        return self.total(lag)

    async def _log_statistics(self) -> None:
        now = await self._snapshot()
        if self._is_stopping:
            return
        lately, changed = now.since(self._before), now.counts() != self._before.counts()
        self._before = now
        if changed:
            line = statistics_line(now, lately)
            _log.info("{line}", line=line, statistics=now.as_json())

    def _answers(self) -> Answers:
        return {
            "statistics": lambda _query: Deferred.fromCoroutine(self._answer_statistics()),
            "run": RunQuery(
                lambda peers: Deferred.fromCoroutine(self._run_totals(peers)), self._log_run
            ),
        }

    async def _answer_statistics(self) -> Answer:
        return {"statistics": (await self._snapshot()).as_json(), "listening": self.listening()}

    async def _run_totals(self, peers: Iterable[str]) -> ConnectionTotals:
        asked = list(peers)
        answers = await self._ask_all(
            lambda each: ConnectionTotals(**each["totals"]), ask="totals", peers=asked
        )
        total = sum(answers, ConnectionTotals())
        # Each connection is unknown to all workers but one.
        known_nowhere = total.unknown - (len(answers) - 1) * len(asked)
        return replace(total, unknown=known_nowhere if answers else len(asked))

    def _log_run(self, name: str, sent: int, totals: ConnectionTotals) -> None:
        if totals.open == 0:
            _log.info("{line}", line=run_line(name, sent, totals.arrived), run=name)

    # Stopping.

    def reload(self) -> None:
        """Have the workers load their certificates again."""
        for worker in self._workers.values():
            worker.reload()

    def stopService(self) -> Deferred[None]:
        """Stop listening, have the workers drain, and log the summary."""
        super().stopService()
        self._is_stopping = True
        if self._looping.running:
            self._looping.stop()
        for restart in self._restarts.values():
            restart.cancel()
        within = self._settings.drain + STOP_MARGIN
        stopping: list[Deferred[Any]] = [
            self._listeners.close(),
            *(worker.stop(within) for worker in self._workers.values()),
        ]
        done: Deferred[Any] = gatherResults(stopping, consumeErrors=True)
        return done.addCallback(lambda _: self._log_summary())

    def _log_summary(self) -> Deferred[Any]:
        if self._checking.running:
            self._checking.stop()
        for line in summary_lines(self.total(), self._open_at_stop, self._lag_ever):
            _log.info("{line}", line=line)
        self._settings.diagnostics.end()
        # Only now: load clients still query what has arrived.
        if self._status is not None:
            self._status.close()
        return gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
