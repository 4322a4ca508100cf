"""The protocol on the socket: plain until both peers agree on TLS, then a mode's.

Theory of operation.  A session obeys its dialogue until that says ``Switch`` or ``Refuse``, and
never feeds it again.  At ``Switch`` it has its mode secure the transport; what of the input
belongs to TLS already goes the way that every later byte of the wire goes: to the protocol that
the transport has *then*, which is the TLS layer under ``startTLS`` and the session itself
otherwise.  This is the one place where a connection changes from plain to TLS, for every dialect
and every mode, so nothing that came in plain can reach an application.
"""

from __future__ import annotations

import enum
from typing import Any

from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IProtocol,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.sockets import MAX_BUFFER, bound_buffers, without_delay
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.negotiation import Command, Negotiation, Refuse, Say, Switch
from tlsdemo.tls import TLS, ConnectionInfo, Listener, Mode, Stream, TLSStream, TransportOptions
from tlsdemo.tls.timeouts import NO_TIMEOUTS, Phase, PhaseTimer, Timeouts
from tlsdemo.trace.timeline import Timeline

MOMENT = 0.3
"""Seconds that a server waits for a first byte, where both TLS and a greeting are possible."""


class _State(enum.Enum):
    PLAIN = "plain"
    SECURING = "securing"
    REFUSED = "refused"


@implementer(IHandshakeListener)
class UpgradeProtocol(Protocol):
    """One connection, of a server or a client, from the first plain byte to its end.

    ``listener`` is told how it goes.  ``negotiation`` is one that has not begun; without one, TLS
    starts at once.  The session provides ``IHandshakeListener`` and stays the transport's
    protocol, as ``startTLS`` wants it; what comes then it hands on to what the mode put on the
    wire.
    """

    stream: Stream | None = None

    def __init__(
        self,
        mode: Mode,
        tls: TLS,
        listener: Listener,
        transport_options: TransportOptions,
        timeline: Timeline,
        clock: IReactorTime,
        negotiation: Negotiation | None = None,
        timeouts: Timeouts = NO_TIMEOUTS,
        max_buffer: int = MAX_BUFFER,
    ) -> None:
        self._mode = mode
        self.tls = tls
        self._listener = listener
        self._transport_options = transport_options
        self._timeline = timeline
        self._clock = clock
        self._negotiation = ImmediateServer() if negotiation is None else negotiation
        self._max_buffer = max_buffer
        self._state = _State.PLAIN
        self._close_reason: CloseReason | None = None
        self._switched = Switch()
        self._moment: IDelayedCall | None = None
        self._lost = False
        self._wire: IProtocol | None = None
        self._timer = PhaseTimer(clock, timeouts, self._moved, self.abort)

    # What the transport tells.

    def connectionMade(self) -> None:
        """Begin the dialogue."""
        self._timeline.record("connected")
        without_delay(self.transport)
        bound_buffers(self.transport, self._max_buffer)
        self._timer.enter(Phase.PLAIN)
        self._obey(self._negotiation.start())
        if self._state is _State.PLAIN and self._negotiation.awaits_first_byte:
            self._moment = self._clock.callLater(MOMENT, self._nothing_came)

    def dataReceived(self, data: bytes) -> None:
        """Take what the transport brings: plain words, then what is for the wire's protocol."""
        if self._wire is not None:
            self._wire.dataReceived(data)
        elif self._state is _State.PLAIN:
            self._end_moment()
            self._obey(self._negotiation.receive(data))

    def handshakeCompleted(self) -> None:
        """Hand on Twisted's word to the stream that asks for it."""
        stream: Any = self.stream
        assert isinstance(stream, TLSStream)
        stream.handshakeCompleted()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on the end."""
        self._end_moment()
        self._lost = True
        if self._wire is not None:
            self._wire.connectionLost(reason)
            if self._timer.phase is Phase.CLOSING:
                # Nothing is waited for any more but an application that has not taken all.
                self._timer.enter(Phase.SECURE)
        else:
            before = CloseReason(
                Cause.HANDSHAKE_INTERRUPTED, "the peer closed before TLS was agreed on"
            )
            self.insecure(self._close_reason or before)

    # What the dialogue orders.

    def _obey(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Say):
                self._say(command.data)
            elif isinstance(command, Switch):
                self._switch(command)
            else:
                self._refuse(command)

    def _say(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def _switch(self, switch: Switch) -> None:
        self._state = _State.SECURING
        self._switched = switch
        self._timer.enter(Phase.HANDSHAKE)
        self._timeline.record(self._mode.called)
        self._wire, self.stream = self._start()
        self.stream.closing = self._closing
        if self.stream.disconnecting:
            self._closing()
        if switch.leftover:
            transport: Any = self.transport
            transport.protocol.dataReceived(switch.leftover)

    def _start(self) -> tuple[IProtocol, Stream]:
        """Have the mode secure the transport."""
        return self._mode.secure(
            self.transport, self.tls, self, self._transport_options, self._clock
        )

    def _refuse(self, refuse: Refuse) -> None:
        assert self.transport is not None
        self._state = _State.REFUSED
        self._close_reason = CloseReason(refuse.cause, refuse.detail)
        self._timeline.record("upgrade refused")
        self._say(refuse.data)
        self._timer.enter(Phase.CLOSING)
        self.transport.loseConnection()

    def _nothing_came(self) -> None:
        self._moment = None
        self._obey(self._negotiation.nothing_came())

    def _end_moment(self) -> None:
        if self._moment is not None:
            self._moment.cancel()
            self._moment = None

    # What the stream tells, on its way to the listener.

    def handshake_completed(self) -> None:
        """Hand on Twisted's word."""
        self._listener.handshake_completed()

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Ask the listener for the application, if what the dialogue demands was agreed on."""
        wanted = self._switched.alpn.decode()
        if wanted and info.alpn != wanted:
            self.abort(CloseReason(Cause.PROTOCOL_ERROR, f"ALPN {wanted!r} was not agreed on"))
            return None
        self._timer.enter(Phase.SECURE)
        application = self._listener.secure(info)
        if application is not None and self._switched.injected:
            # Only ever with the guard off: what a careless server does with injected bytes.
            self._clock.callLater(0, application.dataReceived, self._switched.injected)
        return application

    def plain(self) -> IProtocol | None:
        """Ask the listener for the application, in mode ``clear``."""
        self._timer.enter(Phase.SECURE)
        return self._listener.plain()

    def insecure(self, close_reason: CloseReason) -> None:
        """Hand on the end."""
        self._detach().insecure(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Hand on the end."""
        self._detach().ended(close_reason)

    def _detach(self) -> Listener:
        """Return the listener for its last word: it holds us, and we hold on to it no longer."""
        self._timer.enter(Phase.OVER)
        listener = self._listener
        del self._listener
        return listener

    # Its deadlines, and who ends it early.

    def _moved(self) -> int:
        stream = self.stream
        return 0 if stream is None else stream.bytes_in + stream.bytes_out

    def _closing(self) -> None:
        if not self._lost:
            self._timer.enter(Phase.CLOSING)

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, with ``close_reason`` as the cause."""
        if self.stream is not None:
            self.stream.abort(close_reason)
        else:
            self._close_reason = self._close_reason or close_reason
            transport: Any = self.transport
            transport.abortConnection()
