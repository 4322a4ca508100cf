"""Handler ``proxy``: forwards the cleartext to a plaintext backend, and back.

Theory of operation.  Flow control works in both directions: each side is registered as the producer
of the other.  When a side closes in order, the other is closed in order, after everything has been
forwarded.  A side that has only finished sending (close_notify from a client, a FIN from a backend)
still receives: the other is told that it has finished, and the connection lasts until that one has
too.  When a side is lost, the other is reset, so that nobody takes a truncated stream for a
complete one.  The backend first receives what its client had sent: many mail clients reset the
connection after their last command.

Every wait has a limit.  While there is a client, the timeouts of its connection apply; a backend
that does not greet, or does not read what a client that has gone had sent, has timeouts here.  So
has a client that says nothing more to a backend that has finished: most have closed.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.addresses import address_text
from tlsdemo.proxy.backend import Backend, BackendConnection, BackendFactory
from tlsdemo.proxy.handler import HandlerListener
from tlsdemo.proxy.proxy_actions import ProxyActions
from tlsdemo.proxy.proxy_state import ProxyInput as _Input
from tlsdemo.proxy.proxy_state import ProxyState as _State
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter
from tlsdemo.state_machine import transition_table
from tlsdemo.tls.connect_reasons import backend_reason

_WITHOUT_BACKEND = (_State.TURNED_AWAY, _State.DRAINED)


@implementer(IPushProducer, IHalfCloseableProtocol)
class ProxyHandler(ProxyActions):
    """The client's side of a proxy; it connects to the backend once the client is secure."""

    def __init__(
        self,
        listener: HandlerListener,
        backend: Backend,
        protocol_filter: ProtocolFilter | None = None,
    ) -> None:
        super().__init__(listener, backend, protocol_filter)
        self._backend = BackendConnection(backend, self)

    def connectionMade(self) -> None:
        """Pause the client, and connect to the backend."""
        assert self.transport is not None
        self.full = True
        self.transport.pauseProducing()
        if self.transport.by_reads:
            # Both ways there is one write for each read.
            self._backend.promptly = True
            self.transport.write_promptly()
        self._backend.introduce(self.transport)
        self._connecting = self._settings.endpoint.connect(BackendFactory(self._backend))
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
        if self._settings.embedded:
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
            self.backend_failed(problem)
            return
        if waiting and self._filter.ready:
            self._input(_Input.BACKEND_READY)
        if passed and self.transport is not None and self._state not in _WITHOUT_BACKEND:
            self.transport.write(passed)

    def backend_failed(self, problem: FilterFailed) -> None:
        """End both connections, as client and backend cannot continue."""
        self._input(_Input.FAILED, CloseReason(problem.cause, str(problem)))

    def backend_finished(self) -> None:
        """Tell the client that the backend has finished sending; it may still send itself."""
        self._input(_Input.BACKEND_FINISHED)

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
        self._input(_Input.BACKEND_REFUSED, backend_reason(failure))

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

    states = _State
    transitions = transition_table(
        *(
            (state, name, after, action)
            for state, after in (
                (_State.CONNECTING, _State.TURNED_AWAY),
                (_State.CONNECTING_FINISHED, _State.TURNED_AWAY),
                (_State.CONNECTING_LATE, _State.DRAINED),
            )
            for name, action in (
                (_Input.BACKEND_REFUSED, ProxyActions._turn_away),
                (_Input.BACKEND_FINISHED, ProxyActions._not_greeted),
                (_Input.BACKEND_CLOSED, ProxyActions._not_greeted),
                (_Input.BACKEND_CLOSED_EARLY, ProxyActions._not_greeted),
                (_Input.BACKEND_LOST, ProxyActions._not_greeted),
                (_Input.FAILED, ProxyActions._give_up_connecting),
            )
        ),
        (_State.CONNECTING, _Input.CLIENT_DATA, _State.CONNECTING, ProxyActions._keep_early),
        (_State.CONNECTING, _Input.CLIENT_FINISHED, _State.CONNECTING_FINISHED, None),
        (_State.CONNECTING, _Input.CLIENT_CLOSED, _State.CONNECTING_LATE, None),
        (_State.CONNECTING, _Input.CLIENT_LOST, _State.DRAINED, ProxyActions._cancel),
        (_State.CONNECTING, _Input.BACKEND_READY, _State.JOINED, ProxyActions._join),
        (_State.CONNECTING_FINISHED, _Input.CLIENT_CLOSED, _State.CONNECTING_LATE, None),
        (_State.CONNECTING_FINISHED, _Input.CLIENT_LOST, _State.DRAINED, ProxyActions._cancel),
        (
            _State.CONNECTING_FINISHED,
            _Input.BACKEND_READY,
            _State.CLIENT_FINISHED,
            ProxyActions._join_finished,
        ),
        (
            _State.CONNECTING_LATE,
            _Input.BACKEND_READY,
            _State.CLIENT_GONE,
            ProxyActions._forward_and_finish,
        ),
        (_State.CONNECTING_LATE, _Input.ABORT, _State.DRAINED, ProxyActions._abort_connecting),
        (_State.JOINED, _Input.CLIENT_DATA, _State.JOINED, ProxyActions._forward),
        (
            _State.JOINED,
            _Input.CLIENT_FINISHED,
            _State.CLIENT_FINISHED,
            ProxyActions._finish_sending,
        ),
        (
            _State.JOINED,
            _Input.BACKEND_FINISHED,
            _State.BACKEND_FINISHED,
            ProxyActions._finish_sending_to_client,
        ),
        (_State.JOINED, _Input.CLIENT_CLOSED, _State.CLIENT_GONE, ProxyActions._finish_backend),
        (_State.JOINED, _Input.CLIENT_LOST, _State.CLIENT_GONE, ProxyActions._reset_backend),
        (_State.JOINED, _Input.BACKEND_CLOSED, _State.BACKEND_GONE, ProxyActions._finish_client),
        (_State.JOINED, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, ProxyActions._abort_client),
        (_State.JOINED, _Input.BACKEND_LOST, _State.DRAINED, ProxyActions._abort_client),
        (_State.JOINED, _Input.FAILED, _State.DRAINED, ProxyActions._give_up_joined),
        (_State.JOINED, _Input.ABORT, _State.JOINED, ProxyActions._abort_backend),
        (
            _State.CLIENT_FINISHED,
            _Input.BACKEND_FINISHED,
            _State.BACKEND_FINISHED,
            ProxyActions._finish_client,
        ),
        (
            _State.CLIENT_FINISHED,
            _Input.CLIENT_CLOSED,
            _State.CLIENT_GONE,
            ProxyActions._drain_backend,
        ),
        (
            _State.CLIENT_FINISHED,
            _Input.CLIENT_LOST,
            _State.CLIENT_GONE,
            ProxyActions._reset_backend,
        ),
        (
            _State.CLIENT_FINISHED,
            _Input.BACKEND_CLOSED,
            _State.BACKEND_GONE,
            ProxyActions._finish_client,
        ),
        (_State.CLIENT_FINISHED, _Input.BACKEND_LOST, _State.DRAINED, ProxyActions._abort_client),
        (_State.CLIENT_FINISHED, _Input.FAILED, _State.DRAINED, ProxyActions._give_up_joined),
        (_State.CLIENT_FINISHED, _Input.ABORT, _State.CLIENT_FINISHED, ProxyActions._abort_backend),
        (
            _State.BACKEND_FINISHED,
            _Input.CLIENT_DATA,
            _State.BACKEND_FINISHED,
            ProxyActions._forward_to_finished,
        ),
        (
            _State.BACKEND_FINISHED,
            _Input.CLIENT_CLOSED,
            _State.CLIENT_GONE,
            ProxyActions._finish_backend,
        ),
        (
            _State.BACKEND_FINISHED,
            _Input.CLIENT_LOST,
            _State.CLIENT_GONE,
            ProxyActions._reset_backend,
        ),
        (
            _State.BACKEND_FINISHED,
            _Input.BACKEND_LOST,
            _State.BACKEND_GONE,
            ProxyActions._lost_after_finishing,
        ),
        (_State.BACKEND_FINISHED, _Input.FAILED, _State.DRAINED, ProxyActions._give_up_joined),
        (
            _State.BACKEND_FINISHED,
            _Input.ABORT,
            _State.BACKEND_FINISHED,
            ProxyActions._abort_backend,
        ),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED, _State.DRAINED, ProxyActions._drained),
        (_State.CLIENT_GONE, _Input.BACKEND_CLOSED_EARLY, _State.DRAINED, ProxyActions._drained),
        (
            _State.CLIENT_GONE,
            _Input.BACKEND_LOST,
            _State.DRAINED,
            ProxyActions._lost_while_draining,
        ),
        (_State.CLIENT_GONE, _Input.FAILED, _State.DRAINED, ProxyActions._give_up),
        (_State.CLIENT_GONE, _Input.ABORT, _State.CLIENT_GONE, ProxyActions._abort_backend),
        (
            _State.BACKEND_GONE,
            _Input.CLIENT_DATA,
            _State.BACKEND_GONE,
            ProxyActions._count_undelivered,
        ),
        (
            _State.BACKEND_GONE,
            _Input.CLIENT_CLOSED,
            _State.DRAINED,
            ProxyActions._report_undelivered,
        ),
        (_State.BACKEND_GONE, _Input.CLIENT_LOST, _State.DRAINED, ProxyActions._report_undelivered),
    )
