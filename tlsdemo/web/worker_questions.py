"""Asks the workers for what the pages show, and shares the answers.

However many pages are open and however often metrics are asked for, each worker is asked at most
every `FRESH` seconds, and not again while its answer is awaited, which is for up to
`tlsdemo.proxy.worker_process.ANSWER_WITHIN`; for the trace of a connection at most once for each
of these.  A worker is asked as soon as it has been started, so that its parent is ready when it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.proxy.worker_process import Answer, NoAnswer, WorkerProcess
from tlsdemo.trace.model import Trace, traces_from
from tlsdemo.web.connection_list import MOST_KEPT, TraceUnavailable
from tlsdemo.web.live_feed import LARGEST_PART
from tlsdemo.web.workers_connections import WorkersConnections

FRESH = 0.4
"""Seconds for which answers are shared; longer if a worker needs much time for its own."""

OLDEST = 5.0
"""Seconds for which an answer is shared at most, however long it took."""

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
        self._asked_at = float("-inf")
        self._not_before: dict[WorkerProcess, float] = {}
        self._traces: dict[int, tuple[object, Deferred[_Told]]] = {}

    def started(self, index: int, worker: WorkerProcess) -> None:
        """Ask a worker that has just been started; nobody waits for the answer."""
        self._ask(index, worker)

    def ended(self, index: int, worker: WorkerProcess) -> None:
        """Note that a worker has ended."""
        self.connections.forget(index)
        self._not_before.pop(worker, None)
        self._settle(worker)

    def refresh(self) -> Deferred[None]:
        """Return a Deferred that fires when the figures are new, or as new as they will be."""
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        if self._patience is None:
            if self._clock.seconds() >= self._asked_at + FRESH:
                self._begin_round()
            self._end_round_if_complete()
        return done

    def _begin_round(self) -> None:
        now = self._clock.seconds()
        ask = {
            index: worker
            for index, worker in self._workers().items()
            if worker not in self._owing and now >= self._not_before.get(worker, now)
        }
        if not ask:
            return
        self._asked_at = now
        self._patience = self._clock.callLater(PATIENCE, self._end_round)
        # All of them before the first is asked: one that hangs fails at once.
        self._awaited.update(ask.values())
        for index, worker in ask.items():
            self._ask(index, worker)

    def _ask(self, index: int, worker: WorkerProcess) -> None:
        self._owing.add(worker)
        read = partial(self._answered, index, worker)
        asked: Deferred[Any] = worker.ask(
            read, ask="page", changes=self.connections.changes_of(index)
        )
        asked.addErrback(partial(self._silent, index, worker))
        asked.addCallback(partial(self._settle, worker))

    def _answered(self, index: int, worker: WorkerProcess, answer: Answer) -> None:
        self._figures.told(index, answer)
        self.connections.told(index, answer)
        rest = min(float(answer["took"]) / LARGEST_PART, OLDEST)
        self._not_before[worker] = self._clock.seconds() + rest

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
                # The next page asks again.
                if self._traces.get(number, (None, None))[1] is asked:
                    del self._traces[number]
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
            return await worker.ask(
                lambda answer: traces_from(answer["lines"]).get(number),
                ask="connection",
                number=number,
            )
        except (defer.CancelledError, defer.TimeoutError):
            # Nor will it, if it has ended.
            return TraceUnavailable(f"worker {worker.number} does not answer")
        except NoAnswer:
            return TraceUnavailable(f"worker {worker.number} answers what cannot be read")
