"""One load connection: its session, its sender, its deadlines, and what it tells the swarm."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.loadgen.round_robin import RoundRobin
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.sender import Sender
from tlsdemo.tls import ConnectionInfo, Stream
from tlsdemo.tls.timeouts import Phase, PhaseTimer, Timeouts
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol


def timeouts_of(task: Task) -> Timeouts:
    """Return the deadlines that a session keeps by itself.

    Silence is none of them: a connection that is secure waits for all others to be, which may take
    long, and only once it is to send does its silence count.
    """
    return Timeouts(task.plain_timeout, task.handshake_timeout, 0.0, task.closing_timeout)


class Owner(Protocol):
    """Who is told how a connection goes."""

    turns: RoundRobin

    def became_usable(self, connection: Connection) -> None:
        """It can send."""

    def ended(self, connection: Connection, close_reason: CloseReason) -> None:
        """It is over."""


class Connection:
    """One connection from before it is made to its end; it is the listener of its session.

    ``session`` and ``connecting`` are set by whoever has it made.
    """

    connecting: Deferred[Any]

    def __init__(self, owner: Owner, task: Task, packet: bytes, clock: IReactorTime) -> None:
        self._owner = owner
        self._timeout = task.timeout
        self._silence = PhaseTimer(
            clock, Timeouts(0.0, 0.0, task.idle_timeout, 0.0), self._moved, self.abort
        )
        self._until_secure: IDelayedCall | None = clock.callLater(task.timeout, self._too_late)
        self.session: UpgradeProtocol | None = None
        self.sender = Sender(packet, task.packets, owner.turns.want, self._closing)
        self.usable = False
        self.given_up: CloseReason | None = None

    # What the securing tells.

    def handshake_completed(self) -> None:
        """Nothing yet: it is not secure."""

    def secure(self, _info: ConnectionInfo) -> IProtocol | None:
        """Be ready to send."""
        return self.plain()

    def plain(self) -> IProtocol | None:
        """Be ready to send."""
        self.usable = True
        self._forget_securing()
        self._owner.became_usable(self)
        return self.sender

    def insecure(self, close_reason: CloseReason) -> None:
        """Be over."""
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Be over, also if it was never made."""
        self._forget_securing()
        self._silence.enter(Phase.OVER)
        self._owner.ended(self, close_reason)

    # What the swarm asks and orders.

    @property
    def stream(self) -> Stream | None:
        """The application's transport, once TLS has begun."""
        return None if self.session is None else self.session.stream

    def send(self) -> None:
        """Begin to send; from now on it must not be silent for too long."""
        if self.usable and not self.sender.sent_all:
            self._silence.enter(Phase.SECURE)
            self.sender.begin()

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, or give up making it."""
        if self.session is not None and self.session.transport is not None:
            self.session.abort(close_reason)
        else:
            self.given_up = close_reason
            self.connecting.cancel()

    # Its deadlines.

    def _moved(self) -> int:
        stream = self.stream
        return 0 if stream is None else stream.bytes_in + stream.bytes_out

    def _closing(self) -> None:
        # From here on it is the session that does not wait for ever.
        self._silence.enter(Phase.OVER)

    def _forget_securing(self) -> None:
        if self._until_secure is not None and self._until_secure.active():
            self._until_secure.cancel()
        self._until_secure = None

    def _too_late(self) -> None:
        if self.session is None or self.session.transport is None:
            cause = Cause.CONNECT_FAILED
        elif self.session.stream is None:
            cause = Cause.PLAIN_TIMEOUT
        else:
            cause = Cause.HANDSHAKE_TIMEOUT
        self.abort(CloseReason(cause, f"not secure after {self._timeout:g} s"))
