"""A worker inside of the process that controls it: a shard is run by one process.

It stands in for the `tlsdemo.net.child_process.ChildProcess` of a worker, and like that takes and
gives messages from the reactor only, never from within a call of the controller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.loadgen.worker import Worker


class InsideWorker:
    """Runs a `Worker`; ``receive`` is called with what it writes."""

    def __init__(self, reactor: Any, receive: Callable[[bytes], object]) -> None:
        self._reactor = reactor
        self._ended: Deferred[int] = Deferred()
        self._given_up = False
        self.error_message = "it was given up"
        self._worker = Worker(reactor, time.perf_counter, time.process_time)
        self._worker.makeConnection(_Output(reactor, receive))

    def write(self, data: bytes) -> None:
        """Hand it a message."""
        self._reactor.callLater(0, self._received, data)

    def _received(self, data: bytes) -> None:
        if self._given_up:
            return
        try:
            self._worker.dataReceived(data)
        except Exception as problem:
            # A process would end with this as its last line.
            self.error_message = f"{type(problem).__name__}: {problem}"
            self.kill()

    def wait(self) -> Deferred[int]:
        """Return a Deferred that fires if it is given up; otherwise it ends with the process."""
        return self._ended

    def kill(self) -> None:
        """Give it up; what it still does ends with the process."""
        if not self._given_up:
            self._given_up = True
            self._ended.callback(1)

    def close_stdin(self) -> None:
        """Do nothing: it ends with the process."""


class _Output:
    """What a worker writes to."""

    disconnecting = False

    def __init__(self, reactor: Any, receive: Callable[[bytes], object]) -> None:
        self._reactor = reactor
        self._receive = receive

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Hand over what it writes, once it has returned."""
        self._reactor.callLater(0, self._receive, b"".join(data))
