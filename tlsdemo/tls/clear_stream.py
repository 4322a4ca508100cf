"""Mode ``clear``: not secured at all, the control that the others are compared with."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IProducer,
    IProtocol,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.stream import Listener, Stream, TransportOptions


@implementer(IProtocol)
class ClearStream(Stream):
    """An application's transport over a plain one: it counts, and changes nothing."""

    def __init__(self, listener: Listener, transport_options: TransportOptions) -> None:
        super().__init__(listener, transport_options)
        self._close_reason: CloseReason | None = None
        self._transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Be given the transport of the connection."""
        self._transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Connect the application at once: there is nothing to wait for."""
        application = self._ask(self._listener.plain)
        if application is None:
            self.abort(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        elif self._close_reason is None:
            self._connect(application)

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__

    def dataReceived(self, data: bytes) -> None:
        """Deliver what the wire brought, unless this has been aborted."""
        if self._close_reason is not None or self._application is None:
            return
        if self._pull_source is not None:
            self._pull_source.feed(data)
        else:
            self.events += 1
            self.bytes_in += len(data)
            self._application.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, after everything that came before it."""
        if isinstance(reason.value, ConnectionDone):
            close_reason = CLEAN
        else:
            close_reason = CloseReason(Cause.TRUNCATED, "the connection was reset")
        if self._pull_source is not None:
            self._pull_source.end(lambda: self._end(close_reason, reason))
        else:
            self._end(close_reason, reason)

    def _end(self, close_reason: CloseReason, reason: Failure) -> None:
        application, self._application = self._application, None
        if application is None:
            self._detach().insecure(self._close_reason or close_reason)
            return
        if self._close_reason is not None and reason.check(ConnectionDone):
            # The wire was closed in order, but not all that it brought was delivered.
            reason = Failure(ConnectionAborted())
        self._detach().ended(self._close_reason or close_reason)
        application.connectionLost(reason)

    def write(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        self.bytes_out += len(data)
        self._transport.write(data)

    def loseConnection(self) -> None:
        """Close in order, once everything that was written has been sent."""
        self.disconnecting = True
        self._transport.loseConnection()
        self.closing()

    def abortConnection(self) -> None:
        """Close at once; not one more byte is delivered."""
        self.abort(CloseReason(Cause.ABORTED))

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and have the end carry ``close_reason`` as its cause."""
        self.disconnecting = True
        if self._close_reason is None:
            self._close_reason = close_reason
        self._transport.abortConnection()
        if self._pull_source is not None:
            self._pull_source.drop()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self._transport.resumeProducing()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Have ``producer`` paused whenever more is written than the wire takes."""
        self._transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._transport.unregisterProducer()

    def getPeer(self) -> IAddress:
        """Return the address of the peer."""
        address: IAddress = self._transport.getPeer()
        return address

    def getHost(self) -> IAddress:
        """Return our own address."""
        address: IAddress = self._transport.getHost()
        return address


def secure(
    transport: Any,
    _tls: TLS,
    listener: Listener,
    transport_options: TransportOptions,
    _clock: IReactorTime,
) -> tuple[ClearStream, ClearStream]:
    """Leave ``transport`` as it is, and connect the application to it."""
    stream = ClearStream(listener, transport_options)
    stream.makeConnection(transport)
    return stream, stream
