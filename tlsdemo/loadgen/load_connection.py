"""One load connection: its protocol, its sender and its timeouts."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.loadgen.round_robin import RoundRobin
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.sender import Sender
from tlsdemo.tls import ConnectionInfo, Stream, Timeouts, UpgradeProtocol
from tlsdemo.tls.timeouts import ConnectionPhase, PhaseTimer


def timeouts_of(task: Task) -> Timeouts:
    """Return the timeouts that apply from the beginning, all but the idle timeout.

    A secure connection waits until all others are secure, which may take long.  So its idle
    timeout applies only once it begins to send.
    """
    return Timeouts(task.plain_timeout, task.handshake_timeout, 0.0, task.closing_timeout)


class PoolListener(Protocol):
    """Called with what happens on a connection, and schedules the senders."""

    round_robin: RoundRobin

    def became_usable(self, connection: LoadConnection) -> None:
        """The connection can send."""

    def ended(self, connection: LoadConnection, close_reason: CloseReason) -> None:
        """The connection is over."""


class LoadConnection:
    """One connection, from before it is made until its end; the listener of its upgrade protocol.

    ``protocol`` and ``connecting`` are set by the connection pool.
    """

    connecting: Deferred[Any]

    def __init__(self, pool: PoolListener, task: Task, packet: bytes, clock: IReactorTime) -> None:
        self._pool = pool
        self._timeout = task.timeout
        self._idle_timer = PhaseTimer(clock, Timeouts(0.0, 0.0, task.idle_timeout, 0.0))
        self._idle_timer.target = self
        self._secure_timeout: IDelayedCall | None = clock.callLater(task.timeout, self._not_secure)
        self.protocol: UpgradeProtocol | None = None
        self.sender = Sender(packet, task.packets, pool.round_robin.want, self._closing)
        self.usable = False
        self.given_up: CloseReason | None = None

    # What the upgrade protocol calls.

    def secure(self, _info: ConnectionInfo) -> IProtocol | None:
        """Report that this can send, and return the sender."""
        return self.plain()

    def plain(self) -> IProtocol | None:
        """Report that this can send, and return the sender."""
        self.usable = True
        self._cancel_timeout()
        self._pool.became_usable(self)
        return self.sender

    def insecure(self, close_reason: CloseReason) -> None:
        """Report the end."""
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Report the end, also of a connection that was never made."""
        self._cancel_timeout()
        self._idle_timer.enter(ConnectionPhase.OVER)
        self._pool.ended(self, close_reason)

    # What the pool calls.

    @property
    def stream(self) -> Stream | None:
        """The application's transport, once TLS has begun."""
        return None if self.protocol is None else self.protocol.stream

    def send(self) -> None:
        """Begin to send; from now on the idle timeout applies."""
        if self.usable and not self.sender.sent_all:
            self._idle_timer.enter(ConnectionPhase.OPEN)
            self.sender.begin()

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, or stop connecting."""
        if self.protocol is not None and self.protocol.transport is not None:
            self.protocol.abort(close_reason)
        else:
            self.given_up = close_reason
            self.connecting.cancel()

    # Timeouts.

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far."""
        stream = self.stream
        return 0 if stream is None else stream.transferred

    def _closing(self) -> None:
        # From now on, the timeouts of the upgrade protocol apply.
        self._idle_timer.enter(ConnectionPhase.OVER)

    def _cancel_timeout(self) -> None:
        if self._secure_timeout is not None and self._secure_timeout.active():
            self._secure_timeout.cancel()
        self._secure_timeout = None

    def _not_secure(self) -> None:
        if self.protocol is None or self.protocol.transport is None:
            cause = Cause.CONNECT_TIMEOUT
        elif self.protocol.stream is None:
            cause = Cause.PLAIN_TIMEOUT
        else:
            cause = Cause.HANDSHAKE_TIMEOUT
        self.abort(CloseReason(cause, f"not secure after {self._timeout:g} s"))
