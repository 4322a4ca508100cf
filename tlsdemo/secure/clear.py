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

from tlsdemo.causes import CLEAN, Cause, Ending
from tlsdemo.secure.contexts import TLS
from tlsdemo.secure.stream import Listener, Manner, Stream


@implementer(IProtocol)
class ClearStream(Stream):
    """An application's transport over a plain one: it counts, and changes nothing."""

    def __init__(self, listener: Listener, manner: Manner) -> None:
        super().__init__(listener, manner)
        self._ending: Ending | None = None
        self._transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Be given the transport of the connection."""
        self._transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Connect the application at once: there is nothing to wait for."""
        application = self._ask(self._listener.plain)
        if application is None:
            self.abort(Ending(Cause.REJECTED_BY_US, "by the application"))
        elif self._ending is None:
            self._connect(application)

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__

    def dataReceived(self, data: bytes) -> None:
        """Deliver what the wire brought, unless this has been aborted."""
        if self._ending is not None or self._application is None:
            return
        if self._readable is not None:
            self._readable.feed(data)
        else:
            self.events += 1
            self.bytes_in += len(data)
            self._application.dataReceived(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, after everything that came before it."""
        if isinstance(reason.value, ConnectionDone):
            ending = CLEAN
        else:
            ending = Ending(Cause.TRUNCATED, "the connection was reset")
        if self._readable is not None:
            self._readable.end(lambda: self._end(ending, reason))
        else:
            self._end(ending, reason)

    def _end(self, ending: Ending, reason: Failure) -> None:
        application, self._application = self._application, None
        if application is None:
            self._take_leave().insecure(self._ending or ending)
            return
        if self._ending is not None and reason.check(ConnectionDone):
            # The wire was closed in order, but not all that it brought was delivered.
            reason = Failure(ConnectionAborted())
        self._take_leave().ended(self._ending or ending)
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
        self.abort(Ending(Cause.ABORTED))

    def abort(self, ending: Ending) -> None:
        """Close at once, and have the end carry ``ending`` as its cause."""
        self.disconnecting = True
        if self._ending is None:
            self._ending = ending
        self._transport.abortConnection()
        if self._readable is not None:
            self._readable.drop()

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
    manner: Manner,
    _clock: IReactorTime,
) -> tuple[ClearStream, ClearStream]:
    """Leave ``transport`` as it is, and connect the application to it."""
    stream = ClearStream(listener, manner)
    stream.makeConnection(transport)
    return stream, stream
