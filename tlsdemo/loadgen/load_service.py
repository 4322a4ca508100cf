"""The load client as a service: one run, shown as it goes on, and an exit status."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from tlsdemo.loadgen.controller import LoadRun
from tlsdemo.reporting.run_result import RunResult

_log = Logger(namespace="tlsdemo")


class LoadService(Service):
    """Runs ``run`` once and then stops the reactor; ``finished`` is told what came of it.

    It is told ``None`` if the run, or what ``finished`` itself did, broke off with an exception.
    """

    def __init__(
        self, reactor: Any, run: LoadRun, finished: Callable[[RunResult | None], object]
    ) -> None:
        self._reactor = reactor
        self._run = run
        self._finished = finished
        self._done: Deferred[None] | None = None

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        going: Coroutine[Deferred[Any], Any, RunResult] = self._run.go()
        self._done = Deferred.fromCoroutine(going).addCallback(self._tell)
        self._done.addErrback(self._failed).addBoth(self._stop_reactor)

    def _tell(self, result: RunResult) -> None:
        self._finished(result)

    def _failed(self, failure: Failure) -> None:
        _log.failure("the run broke off", failure)
        self._finished(None)

    def _stop_reactor(self, _: object) -> None:
        self._done = None
        if self.running:
            self._reactor.stop()

    def stopService(self) -> Deferred[None] | None:
        """End early, in order; the figures so far are told."""
        super().stopService()
        if self._done is not None:
            self._run.stop()
        return self._done
