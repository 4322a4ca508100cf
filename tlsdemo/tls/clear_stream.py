"""Mode ``clear``: no TLS at all, as the baseline for comparisons."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IReactorTime,
)
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.net.prompt_writing import prompt_writer
from tlsdemo.state_machine import transition_table
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.half_close import half_closeable
from tlsdemo.tls.observer import failure_facts
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import Stream, StreamInput, StreamSetup, StreamState
from tlsdemo.tls.timeouts import ConnectionPhase


@implementer(IProtocol)
class ClearStream(Stream):
    """The application's transport without TLS: it counts, and passes everything on unchanged."""

    def __init__(self, setup: StreamSetup) -> None:
        super().__init__(setup)
        self._transport: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Use ``transport``, and connect the application."""
        self._transport = transport
        self._send = transport.write
        self.connectionMade()

    def connectionMade(self) -> None:
        """Connect the application at once: there is no handshake to wait for."""
        application = self._get_application(self._listener.plain)
        if application is None:
            self.abort(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        else:
            self._input(StreamInput.ACCEPTED, application)

    def dataReceived(self, data: bytes) -> None:
        """Deliver ``data``, unless this has been aborted."""
        deliver = self._deliver
        if deliver is None:
            return
        if self._pull_source is None:
            self.events += 1
            self.bytes_in += len(data)
        deliver(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report the end, after the application has read everything before it."""
        if self._observer is not None and self._observer.detailed:
            self._observer.detail("connectionLost", **failure_facts(reason))
        if isinstance(reason.value, ConnectionDone):
            close_reason = CLEAN
        else:
            close_reason = CloseReason(Cause.TRUNCATED, "the connection was reset")
        self._input(StreamInput.LOST, close_reason, reason)

    def write(self, data: bytes) -> None:
        """Send ``data`` unchanged; it is dropped once the stream is closed."""
        if self._send is not None:
            self.bytes_out += len(data)
            self._send(data)

    def write_promptly(self) -> None:
        """Have each write sent at once, if possible."""
        if self._send is not None:
            self._send = prompt_writer(self._transport) or self._send

    def loseConnection(self) -> None:
        """Close in order, after everything that was written has been sent."""
        self._input(StreamInput.CLOSE)

    # What the transport calls if the application can send after its peer has finished.

    def readConnectionLost(self) -> None:
        """Tell the application that the peer has finished."""
        self._input(StreamInput.PEER_FINISHED)

    def writeConnectionLost(self) -> None:
        """Tell the application that all it wrote has been sent, and a FIN."""
        self._report_finished()

    def pauseProducing(self) -> None:
        """Stop reading the wire."""
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading the wire."""
        self._transport.resumeProducing()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Pause ``producer`` whenever the wire cannot take more."""
        self._has_producer = True
        self._transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Stop pausing and resuming the producer."""
        self._producer_done()
        self._transport.unregisterProducer()

    def getPeer(self) -> IAddress:
        """Return the peer's address."""
        address: IAddress = self._transport.getPeer()
        return address

    def getHost(self) -> IAddress:
        """Return our own address."""
        address: IAddress = self._transport.getHost()
        return address

    # The actions of the state machine.

    def _open(self, application: IProtocol) -> None:
        if half_closeable(application) is not None:
            alsoProvides(self, IHalfCloseableProtocol)
        self._connect(application)

    def _close_transport(self) -> None:
        self._stop_sending()
        # First: a transport that has finished sending is lost within the call.
        self._timer.enter(ConnectionPhase.CLOSING)
        self._transport.loseConnection()

    def _finish_transport(self) -> None:
        self._stop_sending()
        self._transport.loseWriteConnection()

    def _abort_transport(self, close_reason: CloseReason) -> None:
        self._close_reason = close_reason
        self._deliver = self._send = None
        self._transport.abortConnection()
        self._drop_unread(close_reason)

    states = StreamState
    transitions = transition_table(
        (StreamState.CONNECTING, StreamInput.ACCEPTED, StreamState.OPEN, _open),
        (StreamState.CONNECTING, StreamInput.CLOSE, StreamState.CLOSING, _close_transport),
        (StreamState.CONNECTING, StreamInput.ABORT, StreamState.ABORTED, _abort_transport),
        (StreamState.CONNECTING, StreamInput.LOST, StreamState.CLOSED, Stream._report_failure),
        (
            StreamState.OPEN,
            StreamInput.PEER_FINISHED,
            StreamState.HALF_CLOSED,
            Stream._half_close,
        ),
        (StreamState.OPEN, StreamInput.FINISH, StreamState.FINISHED, _finish_transport),
        (StreamState.OPEN, StreamInput.CLOSE, StreamState.CLOSING, _close_transport),
        (StreamState.OPEN, StreamInput.ABORT, StreamState.ABORTED, _abort_transport),
        (StreamState.OPEN, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.HALF_CLOSED, StreamInput.FINISH, StreamState.CLOSING, _close_transport),
        (StreamState.HALF_CLOSED, StreamInput.CLOSE, StreamState.CLOSING, _close_transport),
        (StreamState.HALF_CLOSED, StreamInput.ABORT, StreamState.ABORTED, _abort_transport),
        (StreamState.HALF_CLOSED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.FINISHED, StreamInput.PEER_FINISHED, StreamState.CLOSING, _close_transport),
        (StreamState.FINISHED, StreamInput.CLOSE, StreamState.CLOSING, _close_transport),
        (StreamState.FINISHED, StreamInput.ABORT, StreamState.ABORTED, _abort_transport),
        (StreamState.FINISHED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.CLOSING, StreamInput.ACCEPTED, StreamState.CLOSING, Stream._connect),
        (StreamState.CLOSING, StreamInput.ABORT, StreamState.ABORTED, _abort_transport),
        (StreamState.CLOSING, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.ABORTED, StreamInput.LOST, StreamState.CLOSED, Stream._report_end),
        (StreamState.CLOSED, StreamInput.ABORT, StreamState.CLOSED, Stream._drop_unread),
    )


def secure(
    transport: Any, _tls: TLS, setup: StreamSetup, _clock: IReactorTime
) -> tuple[ClearStream, ClearStream]:
    """Connect the application to ``transport`` without TLS."""
    stream = ClearStream(setup)
    replace_protocol(transport, stream)
    stream.makeConnection(transport)
    return stream, stream
