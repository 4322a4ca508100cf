"""Role ``proxy``: passes the cleartext to a plain backend, and back.

Flow control works in both directions: each side is registered as the producer of the other.  A
side that ended in order ends the other in order, once all that it sent has been passed on; a side
that was cut off has the other cut off, so that nobody mistakes a truncated stream for a whole one.
A backend is given first what its client had sent until then: mail clients that have said all they
had to say are often cut off by themselves.

Nothing is waited for without end.  While there is a client, it is watched from outside; a backend
that does not greet, or does not take what a client has left behind, is watched here.
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
from tlsdemo.proxy.handler import Handler, Owner
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter


class _State(enum.Enum):
    CONNECTING = "connecting to the backend"
    OWING = "connecting to the backend, for a client that is gone"
    JOINED = "joined"
    CLIENT_GONE = "the client is gone"
    BACKEND_GONE = "the backend is gone"
    DRAINED = "drained"


@implementer(IPushProducer)
class Proxy(Handler):
    """The client's side; it connects to the backend once the client is secure."""

    def __init__(
        self,
        owner: Owner,
        backend: Backend,
        protocol_filter: ProtocolFilter | None = None,
    ) -> None:
        super().__init__(owner)
        self._behind = backend
        self._filter = ProtocolFilter() if protocol_filter is None else protocol_filter
        self._state = _State.CONNECTING
        self._backend = BackendConnection(backend, self)
        self._early: list[bytes] = []
        self._write: Callable[[bytes], object] | None = None
        self._undelivered = 0
        self._close_reason: CloseReason | None = None
        self._deadline: IDelayedCall | None = None
        self._connecting: Deferred[Any]

    def connectionMade(self) -> None:
        """Hold the client's bytes back until there is a backend for them."""
        assert self.transport is not None
        self.full = True
        self.transport.pauseProducing()
        backend = self._backend
        # Twisted may hold it for long, but not us by it.
        factory = Factory.forProtocol(lambda: backend)
        factory.noisy = False
        self._connecting = self._behind.endpoint.connect(factory)
        self._connecting.addErrback(self._refused)

    def _refused(self, failure: Failure) -> None:
        self._backend.detach()
        close_reason = CloseReason(Cause.BACKEND_REFUSED, failure.getErrorMessage())
        self._done(close_reason)
        if self.transport is not None:
            self.transport.abort(close_reason)

    def joined(self) -> None:
        """Begin to pass bytes, now that the backend is there."""
        backend = self._backend.transport
        self.owner.happened("backend connected")
        self.owner.backend_joined(address_text(backend.getHost()))
        if self._filter.ready:
            self._begin()
        else:
            self._allow(self._behind.greeting, Cause.BACKEND_REFUSED, "it has not greeted")

    def _begin(self) -> None:
        self._in_time()
        backend = self._backend.transport
        self.full = False
        backend.registerProducer(self, True)
        for data in self._early:
            if not self._to_backend(data):
                return
        if self.transport is None:
            self._client_gone(in_order=True)
            return
        self._state = _State.JOINED
        if type(self._filter) is ProtocolFilter:
            # Nothing is to be changed on the way, nor asked for every record.
            self._write = backend.write
        self.transport.registerProducer(backend, True)
        if not self.full:
            self.transport.resumeProducing()
            self.take_more()

    def dataReceived(self, data: bytes) -> None:
        """Pass the client's bytes on."""
        if self._write is not None:
            self._write(data)
        elif self._state is _State.JOINED:
            self._to_backend(data)
        elif self._state is _State.CONNECTING:
            # A pause asks for no more, but what has been read already may still come.
            self._early.append(data)
        else:
            self._undelivered += len(data)

    def _to_backend(self, data: bytes) -> bool:
        """Return whether the client may go on after this."""
        try:
            passed = self._filter.from_client(data)
        except FilterFailed as problem:
            self._give_up(CloseReason(problem.cause, str(problem)))
            return False
        self._backend.transport.write(passed)
        return True

    def answered(self, data: bytes) -> None:
        """Pass the backend's bytes on, once it has greeted if it does."""
        waits = not self._filter.ready
        try:
            passed = self._filter.from_backend(data)
        except FilterFailed as problem:
            self._give_up(CloseReason(problem.cause, str(problem)))
            return
        if waits and self._filter.ready:
            self._begin()
        if self.transport is not None and self._state is not _State.DRAINED and passed:
            self.transport.write(passed)

    def _leave(self) -> None:
        """Have nothing more to do with the backend, whether there is one yet or not."""
        self._connecting.cancel()
        if self._backend.transport is not None:
            self._backend.transport.abortConnection()

    def _allow(self, seconds: float, cause: Cause, problem: str) -> None:
        """Give the backend ``seconds``; 0 for any time."""
        if seconds > 0:
            close_reason = CloseReason(cause, f"{problem} after {seconds:g} s")
            self._deadline = self._behind.clock.callLater(seconds, self._too_late, close_reason)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self, close_reason: CloseReason) -> None:
        self._deadline = None
        self._give_up(close_reason)

    def _give_up(self, close_reason: CloseReason) -> None:
        if self._state is _State.JOINED and self.transport is not None:
            self.transport.unregisterProducer()
        self._done(close_reason)
        self._backend.transport.abortConnection()
        if self.transport is not None:
            self.transport.abort(close_reason)

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
        """The backend's connection is gone; its ``connectionLost`` tells us why."""

    # The two ends.

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone: end the backend likewise."""
        self.transport = None
        in_order = reason.check(ConnectionDone) is not None
        if self._state is _State.CONNECTING:
            if in_order and self._early:
                self._state = _State.OWING
            else:
                self._done(CLEAN)
                self._leave()
        elif self._state is _State.JOINED:
            self._client_gone(in_order)
        elif self._state is _State.BACKEND_GONE:
            self._done(
                CloseReason(Cause.BACKEND_LOST, f"it closed with {self._undelivered} bytes to come")
                if self._undelivered
                else CLEAN
            )

    def _client_gone(self, in_order: bool) -> None:
        self._state = _State.CLIENT_GONE
        if in_order:
            rest = self._filter.rest_of_client()
            if rest:
                self._backend.transport.write(rest)
        else:
            self._close_reason = self._close_reason or CLEAN
        self._allow(
            self._behind.closing, Cause.CLOSING_TIMEOUT, "the backend has not taken all it was sent"
        )
        self._backend.finish(in_order)

    def backend_lost(self, reason: Failure) -> None:
        """The backend is gone: end the client likewise."""
        in_order = reason.check(ConnectionDone) is not None
        if self._state is _State.CLIENT_GONE:
            # Until now we have only asked for the end: it was we who closed, in order or not.
            detail = f"while draining: {reason.getErrorMessage()}"
            lost = CLEAN if in_order else CloseReason(Cause.BACKEND_LOST, detail)
            self._done(self._close_reason or lost)
            return
        if self._state in (_State.CONNECTING, _State.OWING):
            self._give_up(CloseReason(Cause.BACKEND_REFUSED, "it closed before it had greeted"))
            return
        if self._state is _State.DRAINED:
            return
        self._write = None
        assert self.transport is not None
        self.transport.unregisterProducer()
        # A backend that closes while it has us wait has not taken what we wrote.
        if in_order and not self.full:
            self._state = _State.BACKEND_GONE
            rest = self._filter.rest_of_backend()
            if rest:
                self.transport.write(rest)
            self.transport.loseConnection()
        else:
            close_reason = CloseReason(Cause.BACKEND_LOST, reason.getErrorMessage())
            self._done(close_reason)
            self.transport.abort(close_reason)

    def abort(self) -> None:
        """Give up what is still owed to the backend."""
        if self._state is _State.OWING:
            self._done(CloseReason(Cause.ABORTED))
            self._leave()
        elif self._state in (_State.JOINED, _State.CLIENT_GONE):
            self._close_reason = CloseReason(Cause.ABORTED)
            self._backend.transport.abortConnection()

    def _done(self, close_reason: CloseReason) -> None:
        if self._state is _State.DRAINED:
            return
        self._in_time()
        self._state = _State.DRAINED
        self.owner.drained(close_reason)
