"""Mode ``clear``: not secured at all, the control that the others are compared with."""

from __future__ import annotations

import enum
from functools import partial
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IProducer, IProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.state_machine import transition_table
from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.observer import failure_facts
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.timeouts import ConnectionPhase


class _State(enum.Enum):
    CONNECTING = "connecting the application"
    OPEN = "open"
    CLOSING = "closing"
    ABORTED = "aborted"
    CLOSED = "closed"


class _Input(enum.Enum):
    ACCEPTED = "accepted"
    CLOSE = "loseConnection"
    ABORT = "abort"
    LOST = "connection lost"


@implementer(IProtocol)
class ClearStream(Stream):
    """An application's transport over a plain one: it counts, and changes nothing."""

    def __init__(self, setup: StreamSetup) -> None:
        super().__init__(setup)
        self._state = _State.CONNECTING
        self._transport: Any = None

    @property
    def disconnecting(self) -> bool:
        """Whether this is being closed, or is closed."""
        return self._state not in (_State.CONNECTING, _State.OPEN)

    def makeConnection(self, transport: Any) -> None:
        """Begin to use the transport of the connection."""
        self._transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Connect the application at once: there is nothing to wait for."""
        application = self._ask(self._listener.plain)
        if application is None:
            self.abort(CloseReason(Cause.REJECTED_BY_US, "by the application"))
        else:
            self._input(_Input.ACCEPTED, application)

    def logPrefix(self) -> str:
        """Name this in logs."""
        return type(self).__name__

    def dataReceived(self, data: bytes) -> None:
        """Deliver what the wire brought, unless this has been aborted."""
        deliver = self._deliver
        if deliver is None:
            return
        if self._pull_source is None:
            self.events += 1
            self.bytes_in += len(data)
        deliver(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass the end on, after everything that came before it."""
        if self._observer is not None and self._observer.detailed:
            self._observer.detail("connectionLost", **failure_facts(reason))
        if isinstance(reason.value, ConnectionDone):
            close_reason = CLEAN
        else:
            close_reason = CloseReason(Cause.TRUNCATED, "the connection was reset")
        self._input(_Input.LOST, close_reason, reason)

    def write(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        self.bytes_out += len(data)
        self._transport.write(data)

    def loseConnection(self) -> None:
        """Close in order, once everything that was written has been sent."""
        self._input(_Input.CLOSE)

    def abortConnection(self) -> None:
        """Close at once; not one more byte is delivered."""
        self.abort(CloseReason(Cause.ABORTED))

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and report ``close_reason`` at the end."""
        self._input(_Input.ABORT, close_reason)

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

    # The actions of the state machine.

    def _close_transport(self) -> None:
        self._transport.loseConnection()
        self._timer.enter(ConnectionPhase.CLOSING)

    def _abort_transport(self, close_reason: CloseReason) -> None:
        self._close_reason = close_reason
        self._deliver = None
        self._transport.abortConnection()
        self._drop_unread(close_reason)

    def _drop_unread(self, close_reason: CloseReason) -> None:
        self._close_reason = self._close_reason or close_reason
        if self._pull_source is not None:
            self._pull_source.drop()

    def _report_failure(self, close_reason: CloseReason, _reason: Failure) -> None:
        self._fail(self._close_reason or close_reason)

    def _report_end(self, close_reason: CloseReason, reason: Failure) -> None:
        application, self._application = self._application, None
        self._deliver = None
        if application is None:
            self._report_failure(close_reason, reason)
        elif self._pull_source is None:
            self._finish(application, close_reason, reason)
        else:
            self._wait_for_reader()
            self._pull_source.end(partial(self._finish, application, close_reason, reason))

    states = _State
    transitions = transition_table(
        (_State.CONNECTING, _Input.ACCEPTED, _State.OPEN, Stream._connect),
        (_State.CONNECTING, _Input.CLOSE, _State.CLOSING, _close_transport),
        (_State.CONNECTING, _Input.ABORT, _State.ABORTED, _abort_transport),
        (_State.CONNECTING, _Input.LOST, _State.CLOSED, _report_failure),
        (_State.OPEN, _Input.CLOSE, _State.CLOSING, _close_transport),
        (_State.OPEN, _Input.ABORT, _State.ABORTED, _abort_transport),
        (_State.OPEN, _Input.LOST, _State.CLOSED, _report_end),
        (_State.CLOSING, _Input.ACCEPTED, _State.CLOSING, Stream._connect),
        (_State.CLOSING, _Input.ABORT, _State.ABORTED, _abort_transport),
        (_State.CLOSING, _Input.LOST, _State.CLOSED, _report_end),
        (_State.ABORTED, _Input.LOST, _State.CLOSED, _report_end),
        (_State.CLOSED, _Input.ABORT, _State.CLOSED, _drop_unread),
    )


def secure(
    transport: Any, _tls: TLS, setup: StreamSetup, _clock: IReactorTime
) -> tuple[ClearStream, ClearStream]:
    """Leave ``transport`` as it is, and connect the application to it."""
    stream = ClearStream(setup)
    replace_protocol(transport, stream)
    stream.makeConnection(transport)
    return stream, stream
