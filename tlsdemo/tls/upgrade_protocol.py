"""The protocol of a connection from its first byte until TLS begins.

Theory of operation.  An upgrade protocol executes the commands of its negotiation until one is
``Switch`` or ``Refuse``; after that it never feeds the negotiation again.  At ``Switch`` its mode
secures the transport.  From then on the transport delivers to the TLS layer, which delivers to the
application's stream, and the upgrade protocol receives nothing more.  Bytes that arrived together
with the request for TLS and belong to TLS are first passed to the TLS layer.  This is the only
place where a connection changes from plaintext to TLS, for every dialect and every mode, so
nothing that was received in plaintext can reach an application.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.sockets import bound_buffers, without_delay
from tlsdemo.starttls.negotiation import Command, Refuse, Say, State, Switch
from tlsdemo.state_machine import StateMachine, Symbol, transition_table
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.connection_settings import ConnectionSettings
from tlsdemo.tls.listener import Listener
from tlsdemo.tls.observer import Observer, failure_facts
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.timeouts import ConnectionPhase, PhaseTimer

SNIFFING_TIME = 0.3
"""Seconds a server waits for a ClientHello before it greets, where both are possible."""

_NOT_NEGOTIATED = CloseReason(
    Cause.HANDSHAKE_INTERRUPTED, "the peer closed before TLS was negotiated"
)
_NOT_REQUESTED = CloseReason(Cause.PROBE, "the client closed before it requested TLS")


class _State(Symbol):
    NEGOTIATING = "negotiating in plaintext"
    SWITCHED = "switched to the stream"
    CLOSING = "refused or aborted"
    LOST = "lost"


class _Input(Symbol):
    DATA = "data"
    SILENCE = "no first byte"
    SWITCH = "switch"
    REFUSE = "refuse"
    ABORT = "abort"
    LOST = "connection lost"


class UpgradeProtocol(StateMachine, Protocol):
    """One connection, of a server or a client, from its first byte until TLS begins.

    ``settings`` say how it is negotiated and secured.  ``listener`` provides the application and
    learns how the connection ended.  ``clock`` schedules the timeouts.  ``observer`` sees every
    step.  ``stream`` is the application's transport once TLS has begun, and ``None`` before.
    """

    stream: Stream | None = None

    def __init__(
        self,
        settings: ConnectionSettings,
        listener: Listener,
        clock: IReactorTime,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._clock = clock
        self._negotiation = settings.negotiation()
        self._state = _State.NEGOTIATING
        self._close_reason: CloseReason | None = None
        self._sniffing: IDelayedCall | None = None
        self._requested = False
        self._plaintext = False
        self._timer = PhaseTimer(clock, settings.timeouts)
        self._timer.target = self
        self.observer = observer

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far: none before TLS."""
        return 0

    @property
    def phase(self) -> ConnectionPhase:
        """The present phase of the connection, before TLS and after."""
        return self._timer.phase

    # What the transport calls.

    def connectionMade(self) -> None:
        """Begin the negotiation."""
        self._event("connected")
        without_delay(self.transport)
        bound_buffers(self.transport, self._settings.max_buffer)
        self._follow(self._negotiation.start())
        if self._state is _State.NEGOTIATING:
            self._timer.enter(ConnectionPhase.PLAIN)
            if self._negotiation.awaits_first_byte:
                self._sniffing = self._clock.callLater(SNIFFING_TIME, self._no_first_byte)

    def dataReceived(self, data: bytes) -> None:
        """Negotiate; data that arrives after a refusal is dropped."""
        self._input(_Input.DATA, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report that the connection ended before TLS began."""
        self._stop_sniffing()
        self._detail("connectionLost", **failure_facts(reason))
        self._input(_Input.LOST)

    def rest(self) -> None:
        """Do nothing: before TLS there is nothing to free."""

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, before or after the switch, and report ``close_reason``."""
        if self.stream is not None:
            self.stream.abort(close_reason)
        else:
            self._input(_Input.ABORT, close_reason)

    def _no_first_byte(self) -> None:
        self._sniffing = None
        self._input(_Input.SILENCE)

    def _stop_sniffing(self) -> None:
        if self._sniffing is not None:
            self._sniffing.cancel()
            self._sniffing = None

    # What is observed.

    def _event(self, name: str, **facts: object) -> None:
        if self.observer is not None:
            self.observer.event(name, **facts)

    def _detail(self, name: str, **facts: object) -> None:
        if self.observer is not None and self.observer.detailed:
            self.observer.detail(name, **facts)

    def _wire(self, sent: bool, data: bytes) -> None:
        if self.observer is not None and self.observer.detailed and data:
            self.observer.wire(sent, data)

    # The actions of the state machine.

    def _negotiate(self, data: bytes) -> None:
        self._stop_sniffing()
        commands = self._negotiation.receive(data)
        last = commands[-1] if commands else None
        leftover = len(last.leftover) if isinstance(last, Switch) else 0
        self._plaintext = self._plaintext or leftover < len(data)
        # The TLS layer reports what belongs to it.
        self._wire(False, data[: len(data) - leftover])
        if isinstance(last, Switch) and not self._settings.tls.is_client and leftover < len(data):
            self._upgrade_requested()
        self._follow(commands)

    def _greet(self) -> None:
        self._follow(self._negotiation.nothing_came())

    def _follow(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Say):
                self._say(command.data)
                if self._settings.tls.is_client and self._negotiation.state is State.REQUESTED:
                    self._upgrade_requested()
            elif isinstance(command, Switch):
                self._input(_Input.SWITCH, command)
            else:
                self._input(_Input.REFUSE, command)

    def _say(self, data: bytes) -> None:
        assert self.transport is not None
        self._plaintext = True
        self.transport.write(data)
        self._wire(True, data)

    def _upgrade_requested(self) -> None:
        self._requested = True
        self._detail("upgrade requested")

    def _switch(self, switch: Switch) -> None:
        if self._requested:
            self._detail("upgrade granted")
        self._timer.enter(ConnectionPhase.HANDSHAKE)
        self._event(self._settings.mode.called)
        listener = self._listener
        if switch.injected:
            listener = _InjectingListener(listener, switch.injected, self._clock.callLater)
        setup = StreamSetup(
            listener,
            self._settings.transport,
            self._timer,
            self.observer,
            switch.alpn.decode(),
            self._plaintext,
        )
        del self._listener, self._negotiation
        wire, self.stream = self._settings.mode.secure(
            self.transport, self._settings.tls, setup, self._clock
        )
        self._detail(self._settings.mode.returned)
        if switch.leftover:
            wire.dataReceived(switch.leftover)

    def _refuse(self, refuse: Refuse) -> None:
        assert self.transport is not None
        self._close_reason = CloseReason(refuse.cause, refuse.detail)
        self._event("upgrade refused")
        self._say(refuse.data)
        self._timer.enter(ConnectionPhase.CLOSING)
        self.transport.loseConnection()

    def _abort(self, close_reason: CloseReason) -> None:
        self._close_reason = close_reason
        self._abort_transport(close_reason)

    def _abort_transport(self, _close_reason: CloseReason) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def _report(self) -> None:
        self._timer.enter(ConnectionPhase.OVER)
        close_reason = self._close_reason or (
            _NOT_NEGOTIATED if self._settings.tls.is_client else _NOT_REQUESTED
        )
        self._event("insecure", reason=close_reason)
        listener = self._listener
        del self._listener
        listener.insecure(close_reason)

    states = _State
    transitions = transition_table(
        (_State.NEGOTIATING, _Input.DATA, _State.NEGOTIATING, _negotiate),
        (_State.NEGOTIATING, _Input.SILENCE, _State.NEGOTIATING, _greet),
        (_State.NEGOTIATING, _Input.SWITCH, _State.SWITCHED, _switch),
        (_State.NEGOTIATING, _Input.REFUSE, _State.CLOSING, _refuse),
        (_State.NEGOTIATING, _Input.ABORT, _State.CLOSING, _abort),
        (_State.NEGOTIATING, _Input.LOST, _State.LOST, _report),
        (_State.SWITCHED, _Input.ABORT, _State.SWITCHED, _abort_transport),
        (_State.CLOSING, _Input.ABORT, _State.CLOSING, _abort_transport),
        (_State.CLOSING, _Input.LOST, _State.LOST, _report),
    )


class _InjectingListener:
    """Delivers injected plaintext as a vulnerable server does; used only with the guard off."""

    def __init__(self, listener: Listener, injected: bytes, later: Callable[..., object]) -> None:
        self._listener = listener
        self._injected = injected
        self._later = later
        self.plain = listener.plain
        self.insecure = listener.insecure
        self.ended = listener.ended

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        application = self._listener.secure(info)
        if application is not None:
            self._later(0, application.dataReceived, self._injected)
        return application
