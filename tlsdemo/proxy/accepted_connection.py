"""One accepted connection: the listener of its upgrade protocol and of its handler."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IProtocol

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_registry import ConnectionRecord
from tlsdemo.proxy.handler import Handler, MakeHandler
from tlsdemo.tls import ConnectionInfo, UpgradeProtocol

_NOTHING_SENT = CloseReason(Cause.PROBE, "the client went away before it sent anything")


class AcceptedConnection:
    """Provides the handler of one connection when it is secure, and does its accounting.

    A connection is over when its stream has ended *and* its handler has drained: a proxy may
    still have data for its backend.  It has failed if either has ended with an error.
    """

    def __init__(
        self,
        number: int,
        peer: str,
        accounting: Accounting,
        make_handler: MakeHandler,
        on_over: Callable[[AcceptedConnection], object],
    ) -> None:
        self._number = number
        self._peer = peer
        self._accounting = accounting
        self._make_handler = make_handler
        self._on_over = on_over
        self._record: ConnectionRecord
        self._stream_reason: CloseReason | None = None
        self._failure: CloseReason | None = None
        self._handler_reason: CloseReason | None = None
        self._handler: Handler | None = None
        self.host = ""
        self.protocol: UpgradeProtocol

    def opened(self, protocol: UpgradeProtocol) -> None:
        """Begin the accounting of a connection that has just been accepted."""
        self.protocol = protocol
        self._accounting.statistics.connection_opened(protocol)
        self._record = self._accounting.registry.open(self._peer, self._received)

    def _received(self) -> int:
        stream = self.protocol.stream
        return 0 if stream is None else stream.bytes_in

    def abort(self) -> None:
        """Close at once."""
        if self._handler is not None:
            self._handler.abort()
        self.protocol.abort(CloseReason(Cause.ABORTED))

    def close(self) -> None:
        """Close in order, or at once if the handshake is not complete."""
        if self._handler is not None and self.protocol.stream is not None:
            # A registered producer would keep the stream open.
            self.protocol.stream.unregisterProducer()
            self.protocol.stream.loseConnection()
        else:
            self.abort()

    # What the upgrade protocol calls.

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Return the handler of a connection that is secure."""
        self._accounting.statistics.secured += 1
        self._handler = self._make_handler(self, info.upgraded)
        return self._handler

    def plain(self) -> IProtocol | None:
        """Return the handler of a connection in mode ``clear``."""
        self._handler = self._make_handler(self, False)
        return self._handler

    def insecure(self, close_reason: CloseReason) -> None:
        """Account for the end of a connection that never had a handler."""
        self._handler_reason = CLEAN
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Note that the stream has ended."""
        if close_reason.cause is Cause.TRUNCATED and not self._received():
            # Nothing is missing of nothing: this is how health checks of TLS end.
            close_reason = _NOTHING_SENT
        self._stream_reason = close_reason
        self._note(close_reason)
        self._close()

    # What the handler calls.

    def report(self, event: str) -> None:
        """Report an event to the observer, if there is one."""
        if self.protocol.observer is not None:
            self.protocol.observer.event(event)

    def backend_connected(self, host: str) -> None:
        """Record our address towards the embedded sink."""
        self._record.backend = host

    def drained(self, close_reason: CloseReason) -> None:
        """Note that the handler has drained."""
        self.report("drained")
        self._handler_reason = close_reason
        self._note(close_reason)
        self._close()

    def _note(self, close_reason: CloseReason) -> None:
        # The first failure is the reason: a client that is turned away may well cut itself off.
        if self._failure is None and not close_reason.clean:
            self._failure = close_reason

    def _close(self) -> None:
        if self._stream_reason is None or self._handler_reason is None:
            return
        reason = self._failure or CLEAN
        self._accounting.statistics.connection_ended(self.protocol, reason)
        self._record.close(failed=not reason.clean)
        if reason.cause not in (Cause.CLEAN, Cause.PROBE, Cause.ABORTED):
            self._accounting.events.failed(self._number, self._peer, reason)
        # Break the cycle: the handler refers to this as its listener.
        self._handler = None
        self._on_over(self)
