"""One load connection: its protocol, its application and its timeouts."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol, IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.connection_steps import ConnectionSteps
from tlsdemo.loadgen.schedule import Task
from tlsdemo.net.prompt_writing import send_queued
from tlsdemo.tls import ConnectionInfo, Stream, Timeouts, UpgradeProtocol
from tlsdemo.tls.timeouts import ConnectionPhase, PhaseTimer


def timeouts_of(task: Task) -> Timeouts:
    """Return the timeouts that apply from the beginning, all but the idle timeout.

    A secure connection waits until all others are secure, which may take long.  So its idle
    timeout applies only once it begins to send.
    """
    return Timeouts(task.plain_timeout, task.handshake_timeout, 0.0, task.closing_timeout)


class PoolListener(Protocol):
    """Called with what happens on a connection."""

    def application(self, connection: LoadConnection) -> LoadApplication:
        """The connection can send; return what is done with it."""

    def ended(self, connection: LoadConnection, close_reason: CloseReason) -> None:
        """The connection is over."""


class LoadConnection:
    """One connection, from before it is made until its end; the listener of its upgrade protocol.

    ``protocol`` and ``connecting`` are set by the connection pool.
    """

    connecting: Deferred[Any]

    def __init__(
        self, pool: PoolListener, task: Task, steps: ConnectionSteps, clock: IReactorTime
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._timeout = task.timeout
        self._closing_timeout = task.closing_timeout
        self._idle_timer = PhaseTimer(clock, Timeouts(0.0, 0.0, task.idle_timeout, 0.0))
        self._idle_timer.target = self
        self._deadline: IDelayedCall | None = clock.callLater(task.timeout, self._not_secure)
        self.protocol: UpgradeProtocol | None = None
        self.application: LoadApplication | None = None
        self.steps = steps
        steps.send_hello = self._send_now
        self.given_up: CloseReason | None = None

    @property
    def usable(self) -> bool:
        """Whether the connection could send at some time."""
        return self.application is not None

    # What the upgrade protocol calls.

    def secure(self, _info: ConnectionInfo) -> IProtocol | None:
        """Send our Finished, report that this can send, and return the application."""
        self._send_now()
        return self.plain()

    def plain(self) -> IProtocol | None:
        """Report that this can send, and return the application."""
        self._cancel_deadline()
        self.application = self._pool.application(self)
        return self.application

    def insecure(self, close_reason: CloseReason) -> None:
        """Report the end."""
        self.ended(close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Report the end, also of a connection that was never made."""
        self._cancel_deadline()
        self._idle_timer.enter(ConnectionPhase.OVER)
        self.steps.send_hello = None
        self._pool.ended(self, close_reason)

    # What the pool calls.

    @property
    def stream(self) -> Stream | None:
        """The application's transport, once TLS has begun."""
        return None if self.protocol is None else self.protocol.stream

    def watch(self) -> None:
        """Apply the idle timeout from now on."""
        if self.application is not None and not self.application.complete:
            self._idle_timer.enter(ConnectionPhase.OPEN)

    def finish(self) -> None:
        """Close in order when what was begun is done, or give up what is not secure."""
        if self.application is None:
            self.abort(CloseReason(Cause.ABORTED))
            return
        self.application.finish()
        if not self.application.complete and self._closing_timeout and self._deadline is None:
            self._deadline = self._clock.callLater(self._closing_timeout, self._not_finished)

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, or stop connecting."""
        if self.protocol is not None and self.protocol.transport is not None:
            self.protocol.abort(close_reason)
        else:
            self.given_up = close_reason
            self.connecting.cancel()

    def closing(self) -> None:
        """From now on, the timeouts of the upgrade protocol apply."""
        self._cancel_deadline()
        self._idle_timer.enter(ConnectionPhase.OVER)

    # Timeouts.

    def rest(self) -> None:
        """Free what is only needed while something is received or sent."""
        if self.stream is not None:
            self.stream.rest()

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far."""
        stream = self.stream
        return 0 if stream is None else stream.transferred

    def _send_now(self) -> None:
        """Send what has been written of the handshake, before anything else is done.

        It would wait for the rest of the reactor's turn: for other connections, and in ``churn``
        for our own close_notify.  That would be a part of the handshake for the server, but not
        for the steps, which end with what has been written.
        """
        transport: Any = None if self.protocol is None else self.protocol.transport
        send_queued(getattr(transport, "transport", transport))

    def _cancel_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _not_secure(self) -> None:
        if self.protocol is None or self.protocol.transport is None:
            cause = Cause.CONNECT_TIMEOUT
        elif self.protocol.stream is None:
            cause = Cause.PLAIN_TIMEOUT
        else:
            cause = Cause.HANDSHAKE_TIMEOUT
        self.abort(CloseReason(cause, f"not secure after {self._timeout:g} s"))

    def _not_finished(self) -> None:
        detail = f"not all was answered after {self._closing_timeout:g} s"
        self.abort(CloseReason(Cause.CLOSING_TIMEOUT, detail))
