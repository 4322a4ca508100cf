"""One accepted connection: the listener of its upgrade and of its handler."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IProtocol

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.connection_registry import ConnectionRecord
from tlsdemo.proxy.handler import Handler, MakeHandler
from tlsdemo.tls import ConnectionInfo, UpgradeProtocol


class AcceptedConnection:
    """Gives one connection its handler when it is secure, and accounts for it.

    A connection is over when its stream has ended *and* its handler is done: a proxy may still
    have to drain to its backend.  It failed if either did not end as it should.
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
        self._handler_reason: CloseReason | None = None
        self._handler: Handler | None = None
        self.host = ""
        self.protocol: UpgradeProtocol

    def opened(self, protocol: UpgradeProtocol) -> None:
        """Begin to account for a connection that has just been accepted."""
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
        """Close in order; at once if the handshake is not complete."""
        if self._handler is not None and self.protocol.stream is not None:
            # A registered producer could still write, and so would keep it open.
            self.protocol.stream.unregisterProducer()
            self.protocol.stream.loseConnection()
        else:
            self.abort()

    # What the upgrade reports.

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Give the connection its handler."""
        self._accounting.statistics.secured += 1
        self._handler = self._make_handler(self, info.upgraded)
        return self._handler

    def plain(self) -> IProtocol | None:
        """Give the connection its handler, in mode ``clear``."""
        self._handler = self._make_handler(self, False)
        return self._handler

    def insecure(self, close_reason: CloseReason) -> None:
        """Account for the end: there has never been a handler."""
        self._handler_reason = CLEAN
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Note that the stream has ended."""
        self._stream_reason = close_reason
        self._close()

    # What the handler reports.

    def happened(self, event: str) -> None:
        """Have it observed."""
        if self.protocol.observer is not None:
            self.protocol.observer.event(event)

    def backend_connected(self, host: str) -> None:
        """Remember how to find the record of the backend's end."""
        self._record.backend = host

    def drained(self, close_reason: CloseReason) -> None:
        """Note that the handler is done."""
        self.happened("drained")
        self._handler_reason = close_reason
        self._close()

    def _close(self) -> None:
        if self._stream_reason is None or self._handler_reason is None:
            return
        reason = self._handler_reason if self._stream_reason.clean else self._stream_reason
        self._accounting.statistics.connection_ended(self.protocol, reason)
        self._record.close(failed=not reason.clean)
        if not reason.clean and reason.cause is not Cause.ABORTED:
            self._accounting.events.failed(self._number, self._peer, reason)
        # The handler refers to this as its listener.
        self._handler = None
        self._on_over(self)
