"""Handler ``proxy``: forwards the cleartext to a plaintext backend, and back.

Theory of operation.  Flow control works in both directions: each side is registered as the producer
of the other.  When a side closes in order, the other is closed in order, after everything has been
forwarded.  A client that has only finished sending still gets the answer: the backend receives a
FIN, and the connection lasts until the backend closes.  When a side is lost, the other is reset, so
that nobody takes a truncated stream for a complete one.  The backend first receives what its client
had sent: many mail clients reset the connection after their last command.

Every wait has a limit.  While there is a client, the timeouts of its connection apply; a backend
that does not greet, or does not read what a client that has gone had sent, has timeouts here.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
)
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
    CONNECTING_LATE = "connecting to the backend, after the client has closed"
    CONNECTING_FINISHED = "connecting to the backend, after the client has finished sending"
    JOINED = "joined"
    CLIENT_FINISHED = "the client has finished sending"
    CLIENT_GONE = "the client has gone"
    BACKEND_GONE = "the backend has gone"
    DRAINED = "drained"


class _Input(enum.Enum):
    CLIENT_DATA = "data from the client"
    CLIENT_FINISHED = "client finished sending"
    CLIENT_CLOSED = "client closed, leaving data"
    CLIENT_LOST = "client lost, or closed without data"
    BACKEND_READY = "backend has connected, and greeted"
    BACKEND_REFUSED = "backend not connected"
    BACKEND_CLOSED = "backend closed"
    BACKEND_CLOSED_EARLY = "backend closed, leaving data unread"
    BACKEND_LOST = "backend lost"
    FAILED = "filter failed, or timeout"
    ABORT = "abort"


@implementer(IPushProducer, IHalfCloseableProtocol)
class ProxyHandler(StateMachine, Handler):
    """The client's side of a proxy; it connects to the backend once the client is secure."""

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
        """Pause the client, and connect to the backend."""
        assert self.transport is not None
        self.full = True
        self.transport.pauseProducing()
        backend = self._backend
        # Twisted may keep the factory for long; it must not keep this handler alive.
        factory = Factory.forProtocol(lambda: backend)
        factory.noisy = False
        self._connecting = self._settings.endpoint.connect(factory)
        self._connecting.addErrback(self._not_connected)

    def dataReceived(self, data: bytes) -> None:
        """Forward data from the client."""
        if self._write is not None:
            self._write(data)
        else:
            self._input(_Input.CLIENT_DATA, data)

    def readConnectionLost(self) -> None:
        """Tell the backend that the client has finished sending; its answer is still forwarded."""
        self._input(_Input.CLIENT_FINISHED)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End the backend's connection as the client's has ended."""
        self.transport = None
        connecting = self._state in (_State.CONNECTING, _State.CONNECTING_FINISHED)
        has_data = self._early or not connecting
        closed = reason.check(ConnectionDone) is not None and has_data
        self._input(_Input.CLIENT_CLOSED if closed else _Input.CLIENT_LOST)

    def abort(self) -> None:
        """Give up what has not been forwarded to the backend."""
        self._input(_Input.ABORT)

    # What the backend's connection calls.

    def backend_connected(self) -> None:
        """Start forwarding, or wait for the backend's greeting."""
        self.listener.report("backend connected")
        self.listener.backend_connected(address_text(self._backend.transport.getHost()))
        if self._filter.ready:
            self._input(_Input.BACKEND_READY)
        else:
            self._start_timeout(self._settings.greeting, Cause.BACKEND_REFUSED, "no greeting")

    def backend_data(self, data: bytes) -> None:
        """Forward data from the backend, after its greeting if it has one."""
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
        """End the client's connection as the backend's has ended."""
        if reason.check(ConnectionDone) is None:
            self._input(_Input.BACKEND_LOST, reason)
        elif self.full:
            # It is still pausing us, so it has not read what was written.
            self._input(_Input.BACKEND_CLOSED_EARLY, reason)
        else:
            self._input(_Input.BACKEND_CLOSED, reason)

    def _not_connected(self, failure: Failure) -> None:
        self._backend.detach()
        reason = CloseReason(Cause.BACKEND_REFUSED, failure.getErrorMessage())
        self._input(_Input.BACKEND_REFUSED, reason)

    # The producer of the backend's transport.

    def pauseProducing(self) -> None:
        """Stop reading from the client: the backend is slow."""
        self.full = True
        if self._source is None and self.transport is not None:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading from the client."""
        self.full = False
        if self._source is None and self.transport is not None:
            self.transport.resumeProducing()
        self.read_more()

    def stopProducing(self) -> None:
        """Do nothing: the backend's ``connectionLost`` is called with the reason."""

    # Timeouts.

    def _start_timeout(self, seconds: float, cause: Cause, problem: str) -> None:
        """Fail with ``cause`` after ``seconds``; 0 for no limit."""
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

    def _keep_early(self, data: bytes) -> None:
        # Data that was read before the pause may still arrive.
        self._early.append(data)

    def _forward(self, data: bytes) -> bool:
        """Forward ``data``, and return whether the filter has allowed it."""
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
            # The filter changes nothing, so bypass it.
            self._write = backend.write
        self.transport.registerProducer(backend, True)
        if not self.full:
            self.transport.resumeProducing()
            self.read_more()

    def _join_finished(self) -> None:
        if self._forward_early():
            assert self.transport is not None
            self.transport.registerProducer(self._backend.transport, True)
            self._finish_sending()

    def _finish_sending(self) -> None:
        self._write = None
        self.full = False
        rest = self._filter.rest_of_client()
        if rest:
            self._backend.transport.write(rest)
        if not self._backend.finish_sending():
            assert self.transport is not None
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def _forward_and_finish(self) -> None:
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
        problem = "the backend has not read everything"
        self._start_timeout(self._settings.closing, Cause.CLOSING_TIMEOUT, problem)
        self._backend.finish(in_order)

    def _finish_client(self, _reason: Failure) -> None:
        self._detach_backend()
        assert self.transport is not None
        rest = self._filter.rest_of_backend()
        if rest:
            self.transport.write(rest)
        self.transport.loseConnection()

    def _abort_client(self, reason: Failure) -> None:
        self._detach_backend()
        self._fail(CloseReason(Cause.BACKEND_LOST, reason.getErrorMessage()))

    def _detach_backend(self) -> None:
        self._write = None
        assert self.transport is not None
        self.transport.unregisterProducer()

    def _not_greeted(self, _reason: Failure) -> None:
        self._give_up(CloseReason(Cause.BACKEND_REFUSED, "it closed before its greeting"))

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

    def _cancel(self) -> None:
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
        problem = f"it closed with {self._undelivered} bytes undelivered"
        self._done(CloseReason(Cause.BACKEND_LOST, problem) if self._undelivered else CLEAN)

    def _done(self, reason: CloseReason) -> None:
        self._cancel_timeout()
        self.listener.drained(reason)

    states = _State
    transitions = transition_table(
        (_State.CONNECTING, _Input.CLIENT_DATA, _State.CONNECTING, _keep_early),
        (_State.CONNECTING, _Input.CLIENT_FINISHED, _State.CONNECTING_FINISHED, None),
        (_State.CONNECTING, _Input.CLIENT_CLOSED, _State.CONNECTING_LATE, None),
        (_State.CONNECTING, _Input.CLIENT_LOST, _State.DRAINED, _cancel),
        (_State.CONNECTING, _Input.BACKEND_READY, _State.JOINED, _join),
        (_State.CONNECTING, _Input.BACKEND_REFUSED, _State.DRAINED, _fail),
        (_State.CONNECTING, _Input.BACKEND_CLOSED, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.BACKEND_LOST, _State.DRAINED, _not_greeted),
        (_State.CONNECTING, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.CONNECTING_FINISHED, _Input.CLIENT_CLOSED, _State.CONNECTING_LATE, None),
        (_State.CONNECTING_FINISHED, _Input.CLIENT_LOST, _State.DRAINED, _cancel),
        (_State.CONNECTING_FINISHED, _Input.BACKEND_READY, _State.CLIENT_FINISHED, _join_finished),
        (_State.CONNECTING_FINISHED, _Input.BACKEND_REFUSED, _State.DRAINED, _fail),
        (_State.CONNECTING_FINISHED, _Input.BACKEND_CLOSED, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_FINISHED, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_FINISHED, _Input.BACKEND_LOST, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_FINISHED, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.CONNECTING_LATE, _Input.BACKEND_READY, _State.CLIENT_GONE, _forward_and_finish),
        (_State.CONNECTING_LATE, _Input.BACKEND_REFUSED, _State.DRAINED, _fail),
        (_State.CONNECTING_LATE, _Input.BACKEND_CLOSED, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_LATE, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_LATE, _Input.BACKEND_LOST, _State.DRAINED, _not_greeted),
        (_State.CONNECTING_LATE, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.CONNECTING_LATE, _Input.ABORT, _State.DRAINED, _abort_connecting),
        (_State.JOINED, _Input.CLIENT_DATA, _State.JOINED, _forward),
        (_State.JOINED, _Input.CLIENT_FINISHED, _State.CLIENT_FINISHED, _finish_sending),
        (_State.JOINED, _Input.CLIENT_CLOSED, _State.CLIENT_GONE, _finish_backend),
        (_State.JOINED, _Input.CLIENT_LOST, _State.CLIENT_GONE, _reset_backend),
        (_State.JOINED, _Input.BACKEND_CLOSED, _State.BACKEND_GONE, _finish_client),
        (_State.JOINED, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _abort_client),
        (_State.JOINED, _Input.BACKEND_LOST, _State.DRAINED, _abort_client),
        (_State.JOINED, _Input.FAILED, _State.DRAINED, _give_up_joined),
        (_State.JOINED, _Input.ABORT, _State.JOINED, _abort_backend),
        (_State.CLIENT_FINISHED, _Input.CLIENT_CLOSED, _State.CLIENT_GONE, _finish_backend),
        (_State.CLIENT_FINISHED, _Input.CLIENT_LOST, _State.CLIENT_GONE, _reset_backend),
        (_State.CLIENT_FINISHED, _Input.BACKEND_CLOSED, _State.BACKEND_GONE, _finish_client),
        (_State.CLIENT_FINISHED, _Input.BACKEND_LOST, _State.DRAINED, _abort_client),
        (_State.CLIENT_FINISHED, _Input.FAILED, _State.DRAINED, _give_up_joined),
        (_State.CLIENT_FINISHED, _Input.ABORT, _State.CLIENT_FINISHED, _abort_backend),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED, _State.DRAINED, _drained),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, _drained),
        (_State.CLIENT_GONE, _Input.BACKEND_LOST, _State.DRAINED, _lost_while_draining),
        (_State.CLIENT_GONE, _Input.FAILED, _State.DRAINED, _give_up),
        (_State.CLIENT_GONE, _Input.ABORT, _State.CLIENT_GONE, _abort_backend),
        (_State.BACKEND_GONE, _Input.CLIENT_DATA, _State.BACKEND_GONE, _count_undelivered),
        (_State.BACKEND_GONE, _Input.CLIENT_CLOSED, _State.DRAINED, _report_undelivered),
        (_State.BACKEND_GONE, _Input.CLIENT_LOST, _State.DRAINED, _report_undelivered),
    )
