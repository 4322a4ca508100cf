"""The application's transport above a TLS layer, the same in every mode that encrypts.

Theory of operation.  Whatever made the ``TLSMemoryBIOProtocol`` (``startTLS``, a factory around
ours, or a ``SecurePair``), it has two faces: below, the wire; above, a protocol that it wraps.  A
:class:`TLSStream` is that upper protocol (``handshakeCompleted``, ``dataReceived``,
``connectionLost``), and it is the application's transport.  In between it keeps the promises that
Twisted leaves to applications:

- ``secure`` comes once, after the peer has been verified and our last flight has been written.
  Nothing is delivered before it, and nothing at all if it is never reached or rejects the peer.
- A rejection is final.  After ``abortConnection()`` Twisted still delivers, under ``startTLS``,
  what came together with Finished; here nothing is delivered any more.
- A paused stream delivers nothing, although the wire may have brought more; that is kept inside
  OpenSSL, and delivered on resuming, or before the end.
- An end is clean if the stream said so with close_notify, whatever became of the wire after it;
  that the wire was closed in order says nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IHandshakeListener, IProducer, IProtocol
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.state_machine import transition_table
from tlsdemo.tls.connection_info import connection_info_of
from tlsdemo.tls.error_reasons import close_reason_of, is_end_of_file, name_problem
from tlsdemo.tls.observer import failure_facts
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.timeouts import ConnectionPhase
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.transport_options import Delivery, Send


class _State(enum.Enum):
    HANDSHAKE = "handshake"
    OPEN = "open"
    CLOSING = "closing"
    ABORTED = "aborted"
    CLOSED = "closed"


class _Input(enum.Enum):
    ACCEPTED = "accepted"
    CLOSE = "loseConnection"
    ABORT = "abort"
    LOST = "connection lost"


_LIVE = (_State.HANDSHAKE, _State.OPEN, _State.CLOSING)
_SECURE = (_State.OPEN, _State.CLOSING)


@implementer(IProtocol, IHandshakeListener)
class TLSStream(Stream):
    """The application's transport over TLS; :meth:`attach` names the layer below."""

    def __init__(self, setup: StreamSetup) -> None:
        super().__init__(setup)
        self._options = setup.options
        self._required_alpn = setup.required_alpn
        self._upgraded = setup.upgraded
        self._state = _State.HANDSHAKE
        self._send: Callable[[bytes], object] | None = None
        self._in_layer = False
        self._layer: TLSMemoryBIOProtocol
        self._connection: TLSConnection

    def attach(self, layer: TLSMemoryBIOProtocol) -> None:
        """Use ``layer`` to encrypt and decrypt, as soon as it has a connection.

        Raises TypeError if its connection creator does not make a ``TLSConnection``.
        """
        connection = layer.getHandle()
        if not isinstance(connection, TLSConnection):
            raise TypeError(
                f"{connection!r} is not a TLSConnection; use ServerTLS or ClientTLS, "
                "which make them from any context"
            )
        connection.coalesce = self._options.delivery is not Delivery.RECORD
        connection.at_close_notify = self._peer_closes
        self._layer = layer
        self._connection = connection

    @property
    def records(self) -> int:
        """Records of application data that have been decrypted so far."""
        return self._connection.records

    @property
    def disconnecting(self) -> bool:
        """Whether this is being closed, or is closed."""
        return self._state not in (_State.HANDSHAKE, _State.OPEN)

    # The face towards the TLS layer.

    def makeConnection(self, transport: Any) -> None:
        """Use the layer, where it connects its protocol by itself."""
        self.attach(transport)

    def connectionMade(self) -> None:
        """Nothing yet: the application is connected when this is secure."""

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__

    def handshakeCompleted(self) -> None:
        """OpenSSL is done: verify, write the last flight, and only then report ``secure``."""
        self._in_layer = True
        try:
            self._event("handshakeCompleted")
            self._verify()
        finally:
            self._in_layer = False

    def _verify(self) -> None:
        connection = self._connection
        connection.verify_name(connection.get_peer_certificate())
        if connection.name_error is not None:
            self.abort(CloseReason(Cause.WRONG_NAME, name_problem(connection.name_error)))
        if self._state is not _State.HANDSHAKE:
            return
        connection.flush_into(self._layer)
        info = connection_info_of(connection, self._upgraded)
        if self._required_alpn and info.alpn != self._required_alpn:
            problem = f"ALPN {self._required_alpn!r} was not agreed on"
            self.abort(CloseReason(Cause.PROTOCOL_ERROR, problem))
            return
        self._event("secure", info=info)
        application = self._ask(lambda: self._listener.secure(info))
        if application is None:
            self.abort(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        else:
            self._input(_Input.ACCEPTED, application)

    def dataReceived(self, data: bytes) -> None:
        """Deliver what has been decrypted, if this is still wanted."""
        # Called for each record: under a load of small ones, each look-up here can be measured.
        deliver = self._deliver
        if deliver is None:
            return
        if self._pull_source is None:
            self.events += 1
            self.bytes_in += len(data)
        self._in_layer = True
        try:
            deliver(data)
        finally:
            self._in_layer = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, after everything that came before it."""
        connection = self._connection
        if self._observer is not None and self._observer.detailed:
            connection.wire_ended()
            self._observer.detail("connectionLost", **failure_facts(reason))
        # From here on it is not the peer's close_notify that is waited for.
        connection.at_close_notify = None
        secure = self._state in _SECURE
        if secure and connection.held:
            reason = self._deliver_held(reason)
        if secure and isinstance(reason.value, ConnectionLost) and self._has_close_notify():
            # A wire that was reset after close_notify has cut nothing off.
            reason = connectionDone
        self._input(_Input.LOST, close_reason_of(reason, connection, secure), reason)

    def _peer_closes(self) -> None:
        # The layer closes too, once all that was written has gone.  It drops what a producer still
        # writes; and a wire that waits for a paused one would wait for ever.
        self._layer.unregisterProducer()
        self._timer.enter(ConnectionPhase.CLOSING)

    def _has_close_notify(self) -> bool:
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

    # The face towards the application.

    def write(self, data: bytes) -> None:
        """Encrypt and send ``data``; after the stream has been closed it is dropped.

        Raises RuntimeError before the stream is secure.
        """
        send = self._send
        if send is not None:
            self.bytes_out += len(data)
            send(data)
        elif self._state is _State.HANDSHAKE:
            raise RuntimeError("nothing can be written before the connection is secure")

    def loseConnection(self) -> None:
        """Close in order: all that was written, then close_notify (RFC 8446, section 6.1).

        What has come in before the peer closed can still be received.
        """
        self._input(_Input.CLOSE, CloseReason(Cause.ABORTED))

    def abortConnection(self) -> None:
        """Close at once; not one more byte is delivered."""
        self.abort(CloseReason(Cause.ABORTED))

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and report ``close_reason`` at the end."""
        self._input(_Input.ABORT, close_reason)

    def pauseProducing(self) -> None:
        """Deliver nothing more, and stop reading the wire."""
        if self._state in _LIVE:
            self._connection.held = True
            self._pace("pauseProducing")

    def resumeProducing(self) -> None:
        """Deliver what was held back, then read the wire again."""
        if not self._connection.held or self._state not in _LIVE:
            return
        self._connection.held = False
        # From inside a call of the layer's, its loop goes on delivering by itself.
        if not self._in_layer:
            self._layer.dataReceived(b"")
        if not self._connection.held and self._state in _LIVE:
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

    # The actions of the state machine.

    def _open(self, application: IProtocol) -> None:
        if self._options.send is Send.RAW:
            # The class's own method passes by the buffering that startTLS adds.
            self._send = partial(TLSMemoryBIOProtocol.write, self._layer)
        else:
            self._send = self._layer.write
        if self._observer is not None and self._observer.detailed:
            self._send = self._first(self._observer, "first bytes out", "_send", self._send)
        self._connect(application)

    def _close_layer(self, _close_reason: CloseReason) -> None:
        self._layer.loseConnection()
        if self._connection.at_close_notify is not None:
            self._timer.enter(ConnectionPhase.CLOSING)

    def _abort_layer(self, close_reason: CloseReason) -> None:
        self._close_reason = close_reason
        self._deliver = self._send = None
        self._layer.abortConnection()
        self._drop_unread(close_reason)

    def _drop_unread(self, close_reason: CloseReason) -> None:
        self._close_reason = self._close_reason or close_reason
        if self._pull_source is not None:
            self._pull_source.drop()

    def _report_failure(self, close_reason: CloseReason, _reason: Failure) -> None:
        self._release()
        self._fail(self._close_reason or close_reason)

    def _report_end(self, close_reason: CloseReason, reason: Failure) -> None:
        self._release()
        application, self._application = self._application, None
        if application is None:
            self._fail(self._close_reason or close_reason)
        elif self._pull_source is None:
            self._finish(application, close_reason, reason)
        else:
            self._wait_for_reader()
            self._pull_source.end(partial(self._finish, application, close_reason, reason))

    def _release(self) -> None:
        """Refer to nothing that refers to this, and have the layer let go of the producer."""
        self._deliver = self._send = None
        self._connection.over()
        self._layer.unregisterProducer()

    states = _State
    transitions = transition_table(
        (_State.HANDSHAKE, _Input.ACCEPTED, _State.OPEN, _open),
        (_State.HANDSHAKE, _Input.CLOSE, _State.ABORTED, _abort_layer),
        (_State.HANDSHAKE, _Input.ABORT, _State.ABORTED, _abort_layer),
        (_State.HANDSHAKE, _Input.LOST, _State.CLOSED, _report_failure),
        (_State.OPEN, _Input.CLOSE, _State.CLOSING, _close_layer),
        (_State.OPEN, _Input.ABORT, _State.ABORTED, _abort_layer),
        (_State.OPEN, _Input.LOST, _State.CLOSED, _report_end),
        (_State.CLOSING, _Input.ABORT, _State.ABORTED, _abort_layer),
        (_State.CLOSING, _Input.LOST, _State.CLOSED, _report_end),
        (_State.ABORTED, _Input.LOST, _State.CLOSED, _report_end),
        (_State.CLOSED, _Input.ABORT, _State.CLOSED, _drop_unread),
    )
