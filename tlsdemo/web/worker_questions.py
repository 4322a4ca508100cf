"""Asks the workers for what the pages show, and shares the answers.

However many pages are open and however often metrics are asked for, each worker is asked at most
every `FRESH` seconds, and not again while its answer is awaited, which is for up to
`tlsdemo.proxy.worker_process.ANSWER_WITHIN`; for the trace of a connection at most once for each
of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.proxy.worker_process import WorkerProcess
from tlsdemo.trace.model import NotATrace, Trace, traces_from
from tlsdemo.web.connection_list import MOST_KEPT, TraceUnavailable
from tlsdemo.web.live_feed import LARGEST_PART
from tlsdemo.web.workers_connections import WorkersConnections

FRESH = 0.4
"""Seconds for which answers are shared; longer if the workers need much time for them."""

PATIENCE = 1.0
"""Seconds that pages wait for a worker; then they show what it has told before."""

_Told = Trace | None | TraceUnavailable


class WorkerQuestions:
    """Asks ``workers``, which are those that run, by their index.

    Attributes:
        connections: The sampled connections of all.
    """

    def __init__(
        self,
        workers: Callable[[], Mapping[int, WorkerProcess]],
        figures: WorkersFigures,
        clock: IReactorTime,
    ) -> None:
        self._workers = workers
        self._figures = figures
        self._clock = clock
        self.connections = WorkersConnections(self._ask_trace)
        self._owing: set[WorkerProcess] = set()
        self._awaited: set[WorkerProcess] = set()
        self._waiting: list[Deferred[None]] = []
        self._patience: IDelayedCall | None = None
        self._next = float("-inf")
        self._took = 0.0
        self._traces: dict[int, tuple[object, Deferred[_Told]]] = {}

    def ended(self, index: int, worker: WorkerProcess) -> None:
        """Note that a worker has ended."""
        self.connections.forget(index)
        self._settle(worker)

    def refresh(self) -> Deferred[None]:
        """Return a Deferred that fires when the figures are new, or as new as they will be."""
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        if self._patience is None:
            if self._clock.seconds() >= self._next:
                self._ask()
            self._end_round_if_complete()
        return done

    def _ask(self) -> None:
        self._took = 0.0
        self._next = self._clock.seconds() + FRESH
        self._patience = self._clock.callLater(PATIENCE, self._end_round)
        for index, worker in self._workers().items():
            if worker not in self._owing:
                self._owing.add(worker)
                self._awaited.add(worker)
                changes = self.connections.changes_of(index)
                asked: Deferred[Any] = worker.ask(ask="page", changes=changes)
                asked.addCallback(partial(self._answered, index))
                asked.addErrback(partial(self._silent, index, worker))
                asked.addCallback(partial(self._settle, worker))

    def _answered(self, index: int, answer: Mapping[str, Any]) -> None:
        self._figures.told(index, answer)
        self.connections.told(index, answer)
        self._took = max(self._took, float(answer["took"]))
        self._next = max(self._next, self._clock.seconds() + self._took / LARGEST_PART)

    def _silent(self, index: int, worker: WorkerProcess, _failure: object) -> None:
        # Not if another one has its place now.
        if self._workers().get(index) is worker:
            self._figures.silent(index)

    def _settle(self, worker: WorkerProcess, _: object = None) -> None:
        self._owing.discard(worker)
        self._awaited.discard(worker)
        self._end_round_if_complete()

    def _end_round_if_complete(self) -> None:
        if not self._awaited:
            self._end_round()

    def _end_round(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._patience = None
        self._awaited.clear()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def stop(self) -> None:
        """Wait no longer."""
        self._end_round()

    # Traces.

    def _ask_trace(self, index: int, number: int) -> Deferred[Trace | None]:
        """Ask a worker for the trace of a connection, unless it has been since it told its list.

        What a page has read in a list is in the trace that it asks for then.
        """
        worker = self._workers().get(index)
        known = worker, self.connections.changes_of(index)
        before, asked = self._traces.pop(number, (None, None))
        if asked is None or before != known:
            asked = Deferred.fromCoroutine(self._trace(worker, number))
        self._traces[number] = known, asked
        if len(self._traces) > MOST_KEPT:
            self._traces.pop(next(iter(self._traces)))
        shared: Deferred[Trace | None] = Deferred()

        def share(trace: _Told) -> _Told:
            if isinstance(trace, TraceUnavailable):
                shared.errback(trace)
            else:
                shared.callback(trace)
            return trace

        asked.addCallback(share)
        return shared

    async def _trace(self, worker: WorkerProcess | None, number: int) -> _Told:
        if worker is None:
            return None
        try:
            answer = await worker.ask(ask="connection", number=number)
        except (defer.CancelledError, defer.TimeoutError):
            # Nor will it, if it has ended.  The next page asks again.
            self._traces.pop(number, None)
            return TraceUnavailable(f"worker {worker.number} does not answer")
        try:
            return traces_from(answer["lines"]).get(number)
        except (KeyError, NotATrace):
            # It may be of a version that was installed after this process has started.
            self._traces.pop(number, None)
            return TraceUnavailable(f"worker {worker.number} answers what cannot be read")
