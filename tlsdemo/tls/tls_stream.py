"""The application's transport above a TLS layer, the same in every mode that encrypts.

Theory of operation.  A ``TLSMemoryBIOProtocol`` connects the wire below it to a protocol above it,
whether ``startTLS``, a wrapping factory or a ``SecurePair`` has made it.  A :class:`TLSStream` is
that upper protocol (``handshakeCompleted``, ``dataReceived``, ``connectionLost``) and at the same
time the application's transport.  It guarantees what Twisted leaves to applications:

- ``secure`` is reported once, after the peer has been verified and our last flight has been
  written.  Nothing is delivered before that, and nothing at all if the peer is rejected.
- A rejection is final.  Under ``startTLS`` Twisted still delivers, after ``abortConnection()``,
  the data that arrived together with Finished; a ``TLSStream`` does not.
- A paused stream delivers nothing, even if the wire brings more.  OpenSSL keeps it until the
  stream is resumed or the connection ends.
- An end is clean if the peer has sent close_notify, whatever happened to the wire afterwards.
  A wire that was closed in order proves nothing: an attacker can do that (RFC 8446, section 6.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHandshakeListener, IProtocol, IReactorTime
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.prompt_writing import prompt_writer
from tlsdemo.state_machine import transition_table
from tlsdemo.tls.alpn_selection import alpn_problem
from tlsdemo.tls.connection_info import ConnectionInfo, connection_info_of, settle
from tlsdemo.tls.error_reasons import (
    close_reason_of,
    is_end_of_file,
    name_problem,
    ssl_error_reason,
)
from tlsdemo.tls.half_close import half_closeable, survive_end_of_file
from tlsdemo.tls.observer import failure_facts
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.stream_state import LIVE, SECURE, StreamInput, StreamState
from tlsdemo.tls.timeouts import ConnectionPhase
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_output import TLSOutput
from tlsdemo.tls.transport_options import Delivery


@implementer(IProtocol, IHandshakeListener)
class TLSStream(TLSOutput):
    """The application's transport over TLS; :meth:`attach` connects it to the TLS layer.

    ``receiver``: the protocol that the wire delivers to, if it is not the layer itself.
    ``make_connection`` makes the layer's connection, if the layer is to ask this for it.
    ``clock`` has joined writes sent, and is needed only for ``Send.BUFFERED``.
    ``socket``: the transport below the layer's, if the ``write`` of that can be replaced.
    """

    receiver: object | None = None
    make_connection: Callable[[], TLSConnection] | None = None
    socket: object | None = None
    _info: ref[ConnectionInfo] | None = None

    def __init__(self, setup: StreamSetup, clock: IReactorTime | None = None) -> None:
        super().__init__(setup, clock)
        self._options = setup.options
        self.by_reads = setup.options.delivery is not Delivery.RECORD
        self._required_alpn = setup.required_alpn
        self._upgraded = setup.upgraded
        self._in_layer = False
        self._layer: TLSMemoryBIOProtocol
        self._connection: TLSConnection

    def attach(self, layer: TLSMemoryBIOProtocol) -> None:
        """Use ``layer``, which must have created its connection, to encrypt and decrypt.

        Raises:
            TypeError: If the layer's connection is not a :class:`~tlsdemo.tls.TLSConnection`.
        """
        connection = layer.getHandle()
        if not isinstance(connection, TLSConnection):
            raise TypeError(
                f"{connection!r} is not a TLSConnection; use ServerTLS or ClientTLS, "
                "which make them from any context"
            )
        connection.coalesce = self.by_reads
        connection.at_close_notify = self._close_notify_received
        connection.at_failure = self._limit_failure
        connection.required_alpn = self._required_alpn.encode()
        self._layer = self._below = layer
        self._connection = connection
        self._send_into(layer, connection)

    @property
    def records(self) -> int:
        """TLS records of application data that have been decrypted so far."""
        return self._connection.records

    # What the TLS layer calls.

    def makeConnection(self, transport: Any) -> None:
        """Attach to the layer, which calls this where it connects its protocol itself."""
        self.attach(transport)

    def connectionMade(self) -> None:
        """Do nothing: the application is connected once the connection is secure."""

    def handshakeCompleted(self) -> None:
        """Verify the peer's name, write our last flight, and only then report ``secure``."""
        self._in_layer = True
        try:
            self._event("handshakeCompleted")
            self._verify()
        finally:
            self._in_layer = False

    def _verify(self) -> None:
        connection = self._connection
        if connection.wants_name:
            connection.verify_name(connection.get_peer_certificate())
        if connection.name_error is not None:
            self.abort(CloseReason(Cause.WRONG_NAME, name_problem(connection.name_error)))
        if self._state is not StreamState.CONNECTING:
            return
        connection.flush_into(self._layer)
        connection.release_buffers()
        info = connection_info_of(connection, self._upgraded)
        self._info = ref(info)
        if self._required_alpn and info.alpn != self._required_alpn:
            self.abort(CloseReason(Cause.PROTOCOL_ERROR, alpn_problem(self._required_alpn)))
            return
        self._event("secure", info=info)
        application = self._get_application(lambda: self._listener.secure(info))
        if application is None:
            self.abort(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        else:
            self._input(StreamInput.ACCEPTED, application)

    def dataReceived(self, data: bytes) -> None:
        """Deliver what has been decrypted, unless this has been aborted."""
        # Called for each record: with many small ones, every look-up is measurable.
        if (deliver := self._deliver) is None:
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
        """Report the end, after delivering everything received before it."""
        connection = self._connection
        connection.wire_ended()
        if self._observer is not None and self._observer.detailed:
            self._observer.detail("connectionLost", **failure_facts(reason))
        # No close_notify of the peer is waited for any more.
        connection.at_close_notify = None
        if self._upgraded:
            # The client has asked for TLS, which no probe does.
            connection.silent = False
        secure = self._state in SECURE
        if secure and connection.held:
            reason = self._deliver_held(reason)
        if secure and isinstance(reason.value, ConnectionLost) and connection.has_close_notify:
            # A reset after close_notify truncates nothing.
            reason = connectionDone
        self._input(StreamInput.LOST, close_reason_of(reason, connection, secure), reason)

    def rest(self) -> None:
        """Free what is only needed while something is received or sent."""
        self._connection.release_buffers()

    def _close_notify_received(self) -> bool:
        """Close, unless the application has more to send; return whether it has."""
        if self._state is StreamState.FINISHED or half_closeable(self._application) is not None:
            self._input(StreamInput.PEER_FINISHED)
        producing = self._state is StreamState.CLOSING and self._has_producer
        if producing or self._state is StreamState.HALF_CLOSED:
            survive_end_of_file(self._layer if self.receiver is None else self.receiver)
            return True
        # The layer closes too.  It drops what a producer writes from now on, and would wait for
        # ever for one that is paused; but what has been written is sent first.
        self._has_producer = False
        self._end_writes()
        self._sender.unregister()
        self._timer.enter(ConnectionPhase.CLOSING)
        self._layer.loseConnection()
        return False

    def _limit_failure(self, error: SSL.Error) -> None:
        """Limit how long a peer that has broken TLS may take to read what it has been sent.

        The TLS layer closes, and the transport first sends all that was written.
        """
        # At an end of file, the wire has ended.
        if not is_end_of_file(error):
            self._close_reason = self._close_reason or ssl_error_reason(error, self._connection)
            self._timer.enter(ConnectionPhase.CLOSING)

    def _deliver_held(self, reason: Failure) -> Failure:
        """Deliver what OpenSSL has kept while this was paused; return the reason for the end.

        ``reason`` is the wire's.  The TLS layer has not read what OpenSSL keeps, so only this
        finds out whether a close_notify was received.
        """
        while True:
            # In each turn: an application that pauses now has nothing to wait for.
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

    # What the application calls.

    def write_promptly(self) -> None:
        """Have each write sent at once, if that is possible."""
        if prompt := prompt_writer(self.socket):
            self._layer.transport.write = prompt  # type: ignore[union-attr, method-assign]

    def loseConnection(self) -> None:
        """Send everything that was written, then close_notify (RFC 8446, section 6.1).

        Data is received until the peer closes too.  Before the connection is secure this aborts.
        """
        self._input(StreamInput.CLOSE, CloseReason(Cause.ABORTED))

    def pauseProducing(self) -> None:
        """Deliver nothing more, and stop reading the wire."""
        if self._state in LIVE:
            self._connection.held = True
            self._call_wire("pauseProducing")

    def resumeProducing(self) -> None:
        """Deliver what was held back, then resume reading the wire."""
        if not self._connection.held or self._state not in LIVE:
            return
        self._connection.held = False
        # Inside a call from the layer, the layer's own loop continues delivering.
        if not self._in_layer:
            self._layer.dataReceived(b"")
        if not self._connection.held and self._state in LIVE:
            self._call_wire("resumeProducing")

    def _call_wire(self, name: str) -> None:
        # What carries the bytes need not be a producer.
        method = getattr(self._layer.transport, name, None)
        if method is not None:
            method()

    # The actions of the state machine.

    def _open(self, application: IProtocol) -> None:
        self._begin_writing()
        self._connect(application)

    def _close_layer(self, _close_reason: CloseReason | None = None) -> None:
        self._stop_sending()
        self._timer.enter(ConnectionPhase.CLOSING)
        self._layer.loseConnection()

    def _finish_layer(self) -> None:
        self._stop_sending()
        # That closes one direction: the layer goes on receiving until the peer closes the other.
        self._layer.loseConnection()
        if not self._has_producer:
            self._report_finished()

    def _abort_layer(self, close_reason: CloseReason) -> None:
        self._close_reason, self._deliver = self._close_reason or close_reason, None
        self._drop_writes()
        self._layer.abortConnection()
        self._drop_unread(close_reason)

    def _release(self) -> None:
        super()._release()
        self.receiver = None
        info = None if self._info is None else self._info()
        if info is not None:
            # Somebody has kept it, and must not keep the connection by that.
            settle(info)
        self._connection.break_cycles()
        self._sender.close()

    states = StreamState
    transitions = transition_table(
        (StreamState.CONNECTING, StreamInput.ACCEPTED, StreamState.OPEN, _open),
        (StreamState.CONNECTING, StreamInput.CLOSE, StreamState.ABORTED, _abort_layer),
        (StreamState.CONNECTING, StreamInput.ABORT, StreamState.ABORTED, _abort_layer),
        (StreamState.CONNECTING, StreamInput.LOST, StreamState.CLOSED, Stream._report_failure),
        (StreamState.OPEN, StreamInput.PEER_FINISHED, StreamState.HALF_CLOSED, Stream._half_close),
        (StreamState.OPEN, StreamInput.FINISH, StreamState.FINISHED, _finish_layer),
        (StreamState.OPEN, StreamInput.CLOSE, StreamState.CLOSING, _close_layer),
        (StreamState.OPEN, StreamInput.ABORT, StreamState.ABORTED, _abort_layer),
        (StreamState.OPEN, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.HALF_CLOSED, StreamInput.FINISH, StreamState.CLOSING, _close_layer),
        (StreamState.HALF_CLOSED, StreamInput.CLOSE, StreamState.CLOSING, _close_layer),
        (StreamState.HALF_CLOSED, StreamInput.ABORT, StreamState.ABORTED, _abort_layer),
        (StreamState.HALF_CLOSED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.FINISHED, StreamInput.PEER_FINISHED, StreamState.CLOSING, None),
        (StreamState.FINISHED, StreamInput.CLOSE, StreamState.CLOSING, _close_layer),
        (StreamState.FINISHED, StreamInput.ABORT, StreamState.ABORTED, _abort_layer),
        (StreamState.FINISHED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.CLOSING, StreamInput.ABORT, StreamState.ABORTED, _abort_layer),
        (StreamState.CLOSING, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.ABORTED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.CLOSED, StreamInput.ABORT, StreamState.CLOSED, Stream._drop_unread),
    )
