"""One load connection: its protocol, its sender, its timeouts, and what it reports to the pool."""

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
    """Return the timeouts that apply from the beginning.

    The idle timeout does not: a connection that is secure waits until all others are, which may
    take long.  It applies once the connection begins to send.
    """
    return Timeouts(task.plain_timeout, task.handshake_timeout, 0.0, task.closing_timeout)


class PoolListener(Protocol):
    """Hears how a connection goes."""

    turns: RoundRobin

    def became_usable(self, connection: LoadConnection) -> None:
        """The connection can send."""

    def ended(self, connection: LoadConnection, close_reason: CloseReason) -> None:
        """The connection is over."""


class LoadConnection:
    """One connection from before it is made to its end; the listener of its upgrade.

    ``protocol`` and ``connecting`` are set by the connection pool.
    """

    connecting: Deferred[Any]

    def __init__(self, pool: PoolListener, task: Task, packet: bytes, clock: IReactorTime) -> None:
        self._pool = pool
        self._timeout = task.timeout
        self._idle_timer = PhaseTimer(clock, Timeouts(0.0, 0.0, task.idle_timeout, 0.0))
        self._idle_timer.target = self
        self._until_secure: IDelayedCall | None = clock.callLater(task.timeout, self._too_late)
        self.protocol: UpgradeProtocol | None = None
        self.sender = Sender(packet, task.packets, pool.turns.want, self._closing)
        self.usable = False
        self.given_up: CloseReason | None = None

    # What the upgrade reports.

    def secure(self, _info: ConnectionInfo) -> IProtocol | None:
        """Be ready to send."""
        return self.plain()

    def plain(self) -> IProtocol | None:
        """Be ready to send."""
        self.usable = True
        self._forget_securing()
        self._pool.became_usable(self)
        return self.sender

    def insecure(self, close_reason: CloseReason) -> None:
        """Be over."""
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Be over, also if it was never made."""
        self._forget_securing()
        self._idle_timer.enter(ConnectionPhase.OVER)
        self._pool.ended(self, close_reason)

    # What the pool asks and orders.

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
        """Close at once, or give up making it."""
        if self.protocol is not None and self.protocol.transport is not None:
            self.protocol.abort(close_reason)
        else:
            self.given_up = close_reason
            self.connecting.cancel()

    # Its timeouts.

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far."""
        stream = self.stream
        return 0 if stream is None else stream.transferred

    def _closing(self) -> None:
        # From here on the connection's own timeouts apply.
        self._idle_timer.enter(ConnectionPhase.OVER)

    def _forget_securing(self) -> None:
        if self._until_secure is not None and self._until_secure.active():
            self._until_secure.cancel()
        self._until_secure = None

    def _too_late(self) -> None:
        if self.protocol is None or self.protocol.transport is None:
            cause = Cause.CONNECT_FAILED
        elif self.protocol.stream is None:
            cause = Cause.PLAIN_TIMEOUT
        else:
            cause = Cause.HANDSHAKE_TIMEOUT
        self.abort(CloseReason(cause, f"not secure after {self._timeout:g} s"))
