"""What a proxied connection does in each of its transitions; see ``proxy_handler``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
)
from twisted.python.failure import Failure

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.backend import Backend, BackendConnection
from tlsdemo.proxy.handler import Handler, HandlerListener
from tlsdemo.proxy.proxy_state import ProxyInput as _Input
from tlsdemo.proxy.proxy_state import ProxyState as _State
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter
from tlsdemo.state_machine import StateMachine
from tlsdemo.tls.connect_reasons import OF_BACKEND

_AWAY = {Cause.BACKEND_REFUSED, *OF_BACKEND.values()}
"""The causes of which a client is told in its dialect's words."""


class ProxyActions(StateMachine, Handler):
    """The client's side of a proxy without its state machine: what it is made of, and can do."""

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
        self._backend: BackendConnection
        self._early: list[bytes] = []
        self._write: Callable[[bytes], object] | None = None
        self._undelivered = 0
        self._close_reason: CloseReason | None = None
        self._timeout: IDelayedCall | None = None
        self._connecting: Deferred[Any]

    # Timeouts.

    def _start_timeout(self, seconds: float, cause: Cause, problem: str) -> None:
        """Fail with ``cause`` after ``seconds``; 0 for no limit."""
        self._cancel_timeout()
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
        self._backend.write(passed)
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
            self._write = self._backend.write
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
            self._backend.write(rest)
        self._backend.finish_sending()

    def _forward_and_finish(self) -> None:
        if self._forward_early():
            self._finish_backend()

    def _finish_sending_to_client(self) -> None:
        self._detach_backend()
        self._send_rest_to_client()
        assert self.transport is not None
        self.transport.loseWriteConnection()
        problem = "the backend has finished, and nothing more was forwarded to it"
        self._start_timeout(self._settings.closing, Cause.CLOSING_TIMEOUT, problem)

    def _forward_to_finished(self, data: bytes) -> None:
        if self._timeout is not None:
            self._timeout.reset(self._settings.closing)
        self._forward(data)

    def _lost_after_finishing(self, reason: Failure) -> None:
        # The client may not have read the answer yet, which a reset would take away.
        self._cancel_timeout()
        detail = f"after it had finished: {reason.getErrorMessage()}"
        self._close_reason = CloseReason(Cause.BACKEND_LOST, detail)
        assert self.transport is not None
        self.transport.loseConnection()

    def _count_undelivered(self, data: bytes) -> None:
        self._undelivered += len(data)

    def _finish_backend(self) -> None:
        rest = self._filter.rest_of_client()
        if rest:
            self._backend.write(rest)
        self._drain_backend()

    def _reset_backend(self) -> None:
        self._close_reason = self._close_reason or CLEAN
        self._drain_backend(in_order=False)

    def _drain_backend(self, in_order: bool = True) -> None:
        problem = "the backend has not read everything"
        self._start_timeout(self._settings.closing, Cause.CLOSING_TIMEOUT, problem)
        self._backend.finish(in_order)

    def _finish_client(self, _reason: Failure | None = None) -> None:
        self._detach_backend()
        self._send_rest_to_client()
        assert self.transport is not None
        self.transport.loseConnection()

    def _send_rest_to_client(self) -> None:
        rest = self._filter.rest_of_backend()
        if rest:
            assert self.transport is not None
            self.transport.write(rest)

    def _abort_client(self, reason: Failure) -> None:
        self._detach_backend()
        self._fail(CloseReason(Cause.BACKEND_LOST, reason.getErrorMessage()))

    def _detach_backend(self) -> None:
        self._write = None
        assert self.transport is not None
        self.transport.unregisterProducer()

    def _not_greeted(self, _reason: Failure | None = None) -> None:
        self._give_up_connecting(
            CloseReason(Cause.BACKEND_REFUSED, "it closed before its greeting")
        )

    def _give_up_connecting(self, reason: CloseReason) -> None:
        self._backend.transport.abortConnection()
        self._turn_away(reason)

    def _turn_away(self, reason: CloseReason) -> None:
        """Tell the client in its protocol's own words that it cannot be served."""
        said = self._settings.unavailable
        if self.transport is None or not said or reason.cause not in _AWAY:
            self._fail(reason)
            return
        self._done(reason)
        self.transport.write(said)
        self.transport.resumeProducing()
        self.transport.loseConnection()

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
        reason = self._close_reason or CLEAN
        if reason.clean and self._undelivered:
            problem = f"it closed with {self._undelivered} bytes undelivered"
            reason = CloseReason(Cause.BACKEND_LOST, problem)
        self._done(reason)

    def _done(self, reason: CloseReason) -> None:
        self._cancel_timeout()
        self.listener.drained(reason)
