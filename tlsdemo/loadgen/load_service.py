"""The load generator as a service of twistd: one load, its result, and then the end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.reporting.run_result import RunResult

_log = PrintableLogger(namespace="tlsdemo")


class RunsLoad(Protocol):
    """What puts on one load: a `Controller`, or what controls a cluster."""

    def run(self) -> Coroutine[Deferred[Any], Any, RunResult]:
        """Run the load; problems do not raise, they are part of the result."""

    def stop(self) -> None:
        """End it early; the result is that of what was done."""


class LoadService(Service):
    """Runs ``controller`` once and then stops the reactor; ``finished`` is called with the result.

    It is called with None if the controller, or ``finished`` itself, raised an exception.
    """

    def __init__(
        self, reactor: Any, controller: RunsLoad, finished: Callable[[RunResult | None], object]
    ) -> None:
        self._reactor = reactor
        self._controller = controller
        self._finished = finished
        self._done: Deferred[None] | None = None

    def startService(self) -> None:
        """Run the load as soon as the reactor runs."""
        super().startService()
        self._reactor.callWhenRunning(self._run)

    def _run(self) -> None:
        running: Coroutine[Deferred[Any], Any, RunResult] = self._controller.run()
        self._done = Deferred.fromCoroutine(running).addCallback(self._finish)
        self._done.addErrback(self._failed).addBoth(self._stop_reactor)

    def _finish(self, result: RunResult) -> None:
        self._finished(result)

    def _failed(self, failure: Failure) -> None:
        _log.failure("the load was aborted by an exception", failure)
        self._finished(None)

    def _stop_reactor(self, _: object) -> None:
        self._done = None
        if self.running:
            self._reactor.stop()

    def stopService(self) -> Deferred[None] | None:
        """End the load early; fires when its result has been handed over."""
        super().stopService()
        if self._done is not None:
            self._controller.stop()
        return self._done
