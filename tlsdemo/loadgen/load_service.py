"""The load generator as a service of twistd: its loads, their results, and then the end."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.net.printable_logger import PrintableLogger

_log = PrintableLogger(namespace="tlsdemo")


class Load(Protocol):
    """What is run: a `Controller`, a `LoadSeries`, or what controls a cluster."""

    def run(self) -> Coroutine[Deferred[Any], Any, Any]:
        """Run, and return the result."""

    def stop(self) -> None:
        """End early, with a result: in order, which may take as long as the timeouts."""

    def abort(self) -> None:
        """End early, with a result, but wait for no server."""


class LoadService(Service):
    """Runs ``load`` once and then stops the reactor; ``finished`` is called with the result.

    It is called with None if the load, or ``finished`` itself, raised an exception.
    """

    def __init__(self, reactor: Any, load: Load, finished: Callable[[Any | None], object]) -> None:
        self._reactor = reactor
        self._load = load
        self._finished = finished
        self._done: Deferred[None] | None = None

    def startService(self) -> None:
        """Run the load as soon as the reactor runs."""
        super().startService()
        self._reactor.callWhenRunning(self._run)

    def _run(self) -> None:
        self._done = Deferred.fromCoroutine(self._load.run()).addCallback(self._finish)
        self._done.addErrback(self._failed).addBoth(self._stop_reactor)

    def _finish(self, result: Any) -> None:
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
            self._load.stop()
        return self._done

    def abort(self) -> None:
        """End the load at once."""
        if self._done is not None:
            self._load.abort()
