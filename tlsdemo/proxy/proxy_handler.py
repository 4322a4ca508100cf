"""Handler ``proxy``: passes the cleartext to a plain backend, and back.

Flow control works in both directions: each side is registered as the producer of the other.  A
side that ended in order ends the other in order, once all that it sent has been passed on; a side
that was cut off has the other cut off, so that nobody mistakes a truncated stream for a whole one.
A backend first gets what its client had sent until then: mail clients that have said all they
had to say are often cut off by themselves.

Nothing is waited for without end.  While there is a client, the connection's timeouts apply; a
backend that does not greet, or does not take what a client has left behind, has timeouts here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.net.addresses import address_text
from tlsdemo.proxy.backend import Backend, BackendConnection
from tlsdemo.proxy.handler import Handler, HandlerListener
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter
from tlsdemo.state_machine import StateMachine, transition_table


class _State(enum.Enum):
    CONNECTING = "connecting to the backend"
    OWING = "connecting to the backend, for a client that is gone"
    JOINED = "joined"
    CLIENT_GONE = "the client is gone"
    BACKEND_GONE = "the backend is gone"
    DRAINED = "drained"


class _Input(enum.Enum):
    CLIENT_DATA = "data from the client"
    CLIENT_CLOSED = "client closed, leaving data"
    CLIENT_LOST = "client cut off, or closed without data"
    BACKEND_READY = "backend has connected, and greeted"
    BACKEND_REFUSED = "backend not connected"
    BACKEND_CLOSED = "backend closed"
    BACKEND_CLOSED_EARLY = "backend closed, with data not taken"
    BACKEND_LOST = "backend cut off"
    FAILED = "filter failed, or timeout"
    ABORT = "abort"


@implementer(IPushProducer)
class ProxyHandler(StateMachine, Handler):
    """The client's side; it connects to the backend once the client is secure."""

    def __init__(
        self,
        listener: HandlerListener,
        backend: Backend,
        protocol_filter: ProtocolFilter | None = None,
    ) -> None:
        super().__init__(listener)
        self._settings = backend
        self._filter = ProtocolFilter() if protocol_filter is None else protocol_filter
        self._state = _State.CONNECTING
        self._backend = BackendConnection(backend, self)
        self._early: list[bytes] = []
        self._write: Callable[[bytes], object] | None = None
        self._undelivered = 0
        self._close_reason: CloseReason | None = None
        self._timeout: IDelayedCall | None = None
        self._connecting: Deferred[Any]

    def connectionMade(self) -> None:
        """Hold the client's bytes back until there is a backend for them."""
        assert self.transport is not None
        self.full = True
        self.transport.pauseProducing()
        backend = self._backend
        # Twisted may refer to the factory for long, but must not refer to this handler by it.
        factory = Factory.forProtocol(lambda: backend)
        factory.noisy = False
        self._connecting = self._settings.endpoint.connect(factory)
        self._connecting.addErrback(self._not_connected)

    def dataReceived(self, data: bytes) -> None:
        """Pass the client's bytes on."""
        if self._write is not None:
            self._write(data)
        else:
            self._input(_Input.CLIENT_DATA, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone: end the backend likewise."""
        self.transport = None
        owing = self._early or self._state is not _State.CONNECTING
        closed = reason.check(ConnectionDone) is not None and owing
        self._input(_Input.CLIENT_CLOSED if closed else _Input.CLIENT_LOST)

    def abort(self) -> None:
        """Give up what is still owed to the backend."""
        self._input(_Input.ABORT)

    # What the backend's connection reports.

    def backend_connected(self) -> None:
        """Begin to pass bytes, or wait for the backend's greeting."""
        self.listener.happened("backend connected")
        self.listener.backend_connected(address_text(self._backend.transport.getHost()))
        if self._filter.ready:
            self._input(_Input.BACKEND_READY)
        else:
            self._allow(self._settings.greeting, Cause.BACKEND_REFUSED, "it has not greeted")

    def backend_data(self, data: bytes) -> None:
        """Pass the backend's bytes on, once it has greeted if it does."""
        waiting = not self._filter.ready
        try:
            passed = self._filter.from_backend(data)
        except FilterFailed as problem:
            self._input(_Input.FAILED, CloseReason(problem.cause, str(problem)))
            return
        if waiting and self._filter.ready:
            self._input(_Input.BACKEND_READY)
        if self.transport is not None and self._state is not _State.DRAINED and passed:
            self.transport.write(passed)

    def backend_lost(self, reason: Failure) -> None:
        """The backend is gone: end the client likewise."""
        if reason.check(ConnectionDone) is None:
            self._input(_Input.BACKEND_LOST, reason)
        elif self.full:
            # It has had us wait, so it has not taken what we wrote.
            self._input(_Input.BACKEND_CLOSED_EARLY, reason)
        else:
            self._input(_Input.BACKEND_CLOSED, reason)

    def _not_connected(self, failure: Failure) -> None:
        self._backend.detach()
        reason = CloseReason(Cause.BACKEND_REFUSED, failure.getErrorMessage())
        self._input(_Input.BACKEND_REFUSED, reason)

    # The client, as the producer of what the backend takes.

    def pauseProducing(self) -> None:
        """The backend is slow: take no more from the client."""
        self.full = True
        if self._source is None and self.transport is not None:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """The backend has room again."""
        self.full = False
        if self._source is None and self.transport is not None:
            self.transport.resumeProducing()
        self.take_more()

    def stopProducing(self) -> None:
        """The backend's connection is gone; its ``connectionLost`` gives the reason."""

    # Timeouts.

    def _allow(self, seconds: float, cause: Cause, problem: str) -> None:
        """Give the backend ``seconds``; 0 for no limit."""
        if seconds > 0:
            reason = CloseReason(cause, f"{problem} after {seconds:g} s")
            self._timeout = self._settings.clock.callLater(seconds, self._timed_out, reason)

    def _timed_out(self, reason: CloseReason) -> None:
        self._timeout = None
        self._input(_Input.FAILED, reason)

    def _cancel_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    # The actions of the state machine.

    def _keep(self, data: bytes) -> None:
        # A pause asks for no more, but what has been read already may still come.
        self._early.append(data)

    def _forward(self, data: bytes) -> bool:
        """Return whether the filter lets the client go on after this."""
        try:
            passed = self._filter.from_client(data)
        except FilterFailed as problem:
            self._input(_Input.FAILED, CloseReason(problem.cause, str(problem)))
            return False
        self._backend.transport.write(passed)
        return True

    def _forward_early(self) -> bool:
        self._cancel_timeout()
        self.full = False
        self._backend.transport.registerProducer(self, True)
        return all(self._forward(data) for data in self._early)

    def _join(self) -> None:
        if not self._forward_early():
            return
        assert self.transport is not None
        backend = self._backend.transport
        if type(self._filter) is ProtocolFilter:
            # Nothing is to be changed on the way, so no record need pass the filter.
            self._write = backend.write
        self.transport.registerProducer(backend, True)
        if not self.full:
            self.transport.resumeProducing()
            self.take_more()

    def _pay(self) -> None:
        if self._forward_early():
            self._finish_backend()

    def _count_undelivered(self, data: bytes) -> None:
        self._undelivered += len(data)

    def _finish_backend(self) -> None:
        rest = self._filter.rest_of_client()
        if rest:
            self._backend.transport.write(rest)
        self._drain_backend(in_order=True)

    def _reset_backend(self) -> None:
        self._close_reason = self._close_reason or CLEAN
        self._drain_backend(in_order=False)

    def _drain_backend(self, in_order: bool) -> None:
        problem = "the backend has not taken all it was sent"
        self._allow(self._settings.closing, Cause.CLOSING_TIMEOUT, problem)
        self._backend.finish(in_order)

    def _finish_client(self, _reason: Failure) -> None:
        self._leave_backend()
        assert self.transport is not None
        rest = self._filter.rest_of_backend()
        if rest:
            self.transport.write(rest)
        self.transport.loseConnection()

    def _abort_client(self, reason: Failure) -> None:
        self._leave_backend()
        self._fail(CloseReason(Cause.BACKEND_LOST, reason.getErrorMessage()))

    def _leave_backend(self) -> None:
        self._write = None
        assert self.transport is not None
        self.transport.unregisterProducer()

    def _not_greeted(self, _reason: Failure) -> None:
        self._give_up(CloseReason(Cause.BACKEND_REFUSED, "it closed before it had greeted"))

    def _give_up_joined(self, reason: CloseReason) -> None:
        if self.transport is not None:
            self.transport.unregisterProducer()
        self._give_up(reason)

    def _give_up(self, reason: CloseReason) -> None:
        self._backend.transport.abortConnection()
        self._fail(reason)

    def _fail(self, reason: CloseReason) -> None:
        self._done(reason)
        if self.transport is not None:
            self.transport.abort(reason)

    def _abort_backend(self) -> None:
        self._close_reason = CloseReason(Cause.ABORTED)
        self._backend.transport.abortConnection()

    def _abort_connecting(self) -> None:
        self._done(CloseReason(Cause.ABORTED))
        self._stop_connecting()

    def _leave(self) -> None:
        self._done(CLEAN)
        self._stop_connecting()

    def _stop_connecting(self) -> None:
        self._connecting.cancel()
        if self._backend.transport is not None:
            self._backend.transport.abortConnection()

    def _drained(self, _reason: Failure) -> None:
        self._done(self._close_reason or CLEAN)

    def _lost_while_draining(self, reason: Failure) -> None:
        detail = f"while draining: {reason.getErrorMessage()}"
        self._done(self._close_reason or CloseReason(Cause.BACKEND_LOST, detail))

    def _report_undelivered(self) -> None:
        problem = f"it closed with {self._undelivered} bytes to come"
        self._done(CloseReason(Cause.BACKEND_LOST, problem) if self._undelivered else CLEAN)

    def _done(self, reason: CloseReason) -> None:
        self._cancel_timeout()
        self.listener.drained(reason)

    states = _State
    transitions = transition_table(
        (_State.CONNECTING, _Input.CLIENT_DATA, _State.CONNECTING, _keep),
        (_State.CONNECTING, _Input.CLIENT_CLOSED, _State.OWING, None),
        (_State.CONNECTING, _Input.CLIENT_LOST, _State.DRAINED, _leave),
        (_State.CONNECTING, _Input.BACKEND_READY, _State.JOINED, _join),
        (_State.CONNECTING, _Input.BACKEND_REFUSED, _State.DRAINED, _fail),
        (_State.CONNECTING, _Input.BACKEND_CLOSED, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.BACKEND_LOST, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.OWING, _Input.BACKEND_READY, _State.CLIENT_GONE, _pay),
        (_State.OWING, _Input.BACKEND_REFUSED, _State.DRAINED, _fail),
        (_State.OWING, _Input.BACKEND_CLOSED, _State.DRAINED, _not_greeted),
        (_State.OWING, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _not_greeted),
        (_State.OWING, _Input.BACKEND_LOST, _State.DRAINED, _not_greeted),
        (_State.OWING, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.OWING, _Input.ABORT, _State.DRAINED, _abort_connecting),
        (_State.JOINED, _Input.CLIENT_DATA, _State.JOINED, _forward),
        (_State.JOINED, _Input.CLIENT_CLOSED, _State.CLIENT_GONE, _finish_backend),
        (_State.JOINED, _Input.CLIENT_LOST, _State.CLIENT_GONE, _reset_backend),
        (_State.JOINED, _Input.BACKEND_CLOSED, _State.BACKEND_GONE, _finish_client),
        (_State.JOINED, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _abort_client),
        (_State.JOINED, _Input.BACKEND_LOST, _State.DRAINED, _abort_client),
        (_State.JOINED, _Input.FAILED, _State.DRAINED, _give_up_joined),
        (_State.JOINED, _Input.ABORT, _State.JOINED, _abort_backend),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED, _State.DRAINED, _drained),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _drained),
        (_State.CLIENT_GONE, _Input.BACKEND_LOST, _State.DRAINED, _lost_while_draining),
        (_State.CLIENT_GONE, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.CLIENT_GONE, _Input.ABORT, _State.CLIENT_GONE, _abort_backend),
        (_State.BACKEND_GONE, _Input.CLIENT_DATA, _State.BACKEND_GONE, _count_undelivered),
        (_State.BACKEND_GONE, _Input.CLIENT_CLOSED, _State.DRAINED, _report_undelivered),
        (_State.BACKEND_GONE, _Input.CLIENT_LOST, _State.DRAINED, _report_undelivered),
    )
