"""The cleartext side of a TLS layer, the same above every mode that secures.

Theory of operation.  Whoever made the ``TLSMemoryBIOProtocol`` (``startTLS``, a factory around
ours, or a ``SecurePair`` by hand), it has two faces: below, the wire; above, a protocol that it
wraps.  A :class:`TLSStream` is that upper protocol (``handshakeCompleted``, ``dataReceived``,
``connectionLost``) and turns round to be the application's transport.  In between stand the
promises that Twisted leaves to applications:

- ``secure`` comes once, after the peer has been verified and our last flight has been written;
  nothing is delivered before it, and nothing at all if it is never reached or says no.
- A rejection is final.  After ``abortConnection()`` Twisted still delivers, under ``startTLS``,
  what came together with Finished; here the state is asked for each delivery.
- A paused stream delivers nothing, although the wire may have brought more; that is kept inside
  OpenSSL, and delivered on resuming, or before the end.
- An end is clean if the stream said so with close_notify, whatever became of the wire after it;
  that the wire was closed in order says nothing.
"""

from __future__ import annotations

import enum
from functools import partial
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
    IHandshakeListener,
    IProducer,
    IProtocol,
)
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls.connection_info import connection_info_of
from tlsdemo.tls.error_reasons import close_reason_of, is_end_of_file, name_problem
from tlsdemo.tls.stream import Delivery, Listener, Send, Stream, TransportOptions
from tlsdemo.tls.tls_connection import TLSConnection


class _State(enum.Enum):
    SECURING = "securing"
    SECURE = "secure"
    REJECTED = "rejected"
    CLOSED = "closed"


_OPEN = (_State.SECURING, _State.SECURE)


@implementer(IProtocol, IHandshakeListener)
class TLSStream(Stream):
    """The application's transport over TLS; :meth:`attach` names the layer below."""

    def __init__(self, listener: Listener, transport_options: TransportOptions) -> None:
        super().__init__(listener, transport_options)
        self._transport_options = transport_options
        self._state = _State.SECURING
        self._close_reason: CloseReason | None = None
        self._in_layer = False
        self._delivers = False
        self._layer: TLSMemoryBIOProtocol
        self._connection: TLSConnection

    def attach(self, layer: TLSMemoryBIOProtocol) -> None:
        """Take ``layer`` as what encrypts and decrypts, as soon as it has a connection.

        Raises TypeError if its connection creator does not make a ``TLSConnection``.
        """
        connection = layer.getHandle()
        if not isinstance(connection, TLSConnection):
            raise TypeError(
                f"{connection!r} is not a TLSConnection; use ServerTLS or ClientTLS, "
                "which make them from any context"
            )
        connection.coalesce = self._transport_options.delivery is not Delivery.RECORD
        connection.at_goodbye = self._peer_closes
        self._layer = layer
        self._connection = connection

    @property
    def records(self) -> int:
        """Records of application data that have been decrypted so far."""
        return self._connection.records

    # The face towards the TLS layer.

    def makeConnection(self, transport: Any) -> None:
        """Be told of the layer by itself, where it makes its protocol's connection."""
        self.attach(transport)

    def connectionMade(self) -> None:
        """Nothing yet: the application is connected when this is secure."""

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__

    def handshakeCompleted(self) -> None:
        """OpenSSL is done: verify, write the last flight, and only then say ``secure``."""
        self._in_layer = True
        try:
            self._secure()
        finally:
            self._in_layer = False

    def _secure(self) -> None:
        self._listener.handshake_completed()
        connection = self._connection
        connection.verify_name(connection.get_peer_certificate())
        if connection.name_error is not None:
            self._reject(CloseReason(Cause.WRONG_NAME, name_problem(connection.name_error)))
        if self._state is not _State.SECURING:
            return
        connection.flush_into(self._layer)
        application = self._ask(lambda: self._listener.secure(connection_info_of(connection)))
        if application is None:
            self._reject(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        elif self._state is _State.SECURING:
            self._state = _State.SECURE
            self._delivers = True
            self._connect(application)

    def dataReceived(self, data: bytes) -> None:
        """Deliver what has been decrypted, if this is still wanted."""
        # Called once a record: under a load of small ones, each look-up here can be measured.
        if not self._delivers:
            return
        self._in_layer = True
        try:
            if self._pull_source is None:
                self.events += 1
                self.bytes_in += len(data)
                self._application.dataReceived(data)  # type: ignore[union-attr]
            else:
                self._pull_source.feed(data)
        finally:
            self._in_layer = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, after everything that came before it."""
        secure = self._state is _State.SECURE
        if secure and self._connection.held:
            reason = self._deliver_held(reason)
        if secure and isinstance(reason.value, ConnectionLost) and self._has_goodbye():
            # A wire that was reset after close_notify has cut nothing off.
            reason = connectionDone
        self._state = _State.CLOSED
        self._delivers = False
        self._connection.over()
        # The layer goes on holding it otherwise, and it may hold us.
        self._layer.unregisterProducer()
        close_reason = self._close_reason or close_reason_of(reason, self._connection, secure)
        application, self._application = self._application, None
        if application is None:
            self._detach().insecure(close_reason)
        elif self._pull_source is not None:
            self._pull_source.end(partial(self._end, application, close_reason, reason))
        else:
            self._end(application, close_reason, reason)

    def _end(self, application: IProtocol, close_reason: CloseReason, reason: Failure) -> None:
        if self._close_reason is not None and reason.check(ConnectionDone):
            # The wire was closed in order, but not all that it brought was delivered.
            reason = Failure(ConnectionAborted())
        self._detach().ended(self._close_reason or close_reason)
        application.connectionLost(reason)

    def _peer_closes(self) -> None:
        # The layer closes too, once all that was written has gone.  It drops what a producer still
        # writes; and a wire that waits for a paused one would wait for ever.
        self._layer.unregisterProducer()
        self.closing()

    def _has_goodbye(self) -> bool:
        return bool(self._connection.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    def _deliver_held(self, reason: Failure) -> Failure:
        """Deliver what pausing has kept inside OpenSSL; return the reason that it ends with.

        The TLS layer has not looked there, so ``reason`` is the wire's: that it was closed in
        order says nothing about the stream.
        """
        while True:
            # Again each time: what pauses now has nothing to wait for.
            self._connection.held = False
            try:
                data = self._connection.recv(1 << 15)
            except SSL.ZeroReturnError:
                return connectionDone
            except SSL.Error as error:
                if isinstance(reason.value, SSL.Error):
                    return reason
                return Failure(CONNECTION_LOST if is_end_of_file(error) else error)
            self.dataReceived(data)

    def _reject(self, close_reason: CloseReason) -> None:
        if self._state is _State.SECURING:
            self._state = _State.REJECTED
            self._close_reason = close_reason
            self._layer.abortConnection()

    # The face towards the application.

    def write(self, data: bytes) -> None:
        """Encrypt and send ``data``; after the stream has been closed it is dropped.

        Raises RuntimeError before the stream is secure.
        """
        if self._state is _State.SECURING:
            raise RuntimeError("nothing can be written before the connection is secure")
        if self._state is _State.SECURE:
            self.bytes_out += len(data)
            if self._transport_options.send is Send.RAW:
                # The class's own method passes by the buffering that startTLS adds.
                TLSMemoryBIOProtocol.write(self._layer, data)
            else:
                self._layer.write(data)

    def loseConnection(self) -> None:
        """Close in order: all that was written, then close_notify (RFC 8446, section 6.1).

        What has come in before the peer closed stays to be taken.
        """
        if self._state is _State.SECURE:
            self.disconnecting = True
            self._layer.loseConnection()
            self.closing()
        elif self._state is not _State.CLOSED:
            self.abortConnection()

    def abortConnection(self) -> None:
        """Close at once; not one more byte is delivered."""
        self.abort(CloseReason(Cause.ABORTED))

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and have the end carry ``close_reason`` as its cause."""
        self.disconnecting = True
        if self._close_reason is None:
            self._close_reason = close_reason
        if self._state in _OPEN:
            self._state = _State.REJECTED
            self._delivers = False
            self._layer.abortConnection()
        if self._pull_source is not None:
            self._pull_source.drop()

    def pauseProducing(self) -> None:
        """Deliver nothing more, and stop reading the wire."""
        if self._state in _OPEN:
            self._connection.held = True
            self._pace("pauseProducing")

    def resumeProducing(self) -> None:
        """Deliver what was held back, then read the wire again."""
        if not self._connection.held or self._state not in _OPEN:
            return
        self._connection.held = False
        # From inside a call of the layer's, its loop goes on delivering by itself.
        if not self._in_layer:
            self._layer.dataReceived(b"")
        if not self._connection.held and self._state in _OPEN:
            self._pace("resumeProducing")

    def _pace(self, how: str) -> None:
        # What carries the bytes need not be a Twisted transport that can be paused.
        method = getattr(self._layer.transport, how, None)
        if method is not None:
            method()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Have ``producer`` paused whenever more is written than the wire takes."""
        self._layer.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._layer.unregisterProducer()

    def getPeer(self) -> IAddress:
        """Return the address of the peer."""
        address: IAddress = self._layer.getPeer()
        return address

    def getHost(self) -> IAddress:
        """Return our own address."""
        address: IAddress = self._layer.getHost()
        return address
