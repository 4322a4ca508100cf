"""Timeouts for each phase of a connection."""

from __future__ import annotations

import enum
import typing
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.deadlines import Deadlines, deadlines_of


class ConnectionPhase(enum.Enum):
    """The phase that a connection is in; the value is the name of its timeout."""

    PLAIN = "plain"
    HANDSHAKE = "handshake"
    OPEN = "idle"
    CLOSING = "closing"
    OVER = "over"


@dataclass(frozen=True)
class Timeouts:
    """The timeout of each phase in seconds; 0 for no limit.

    When a timeout expires, the connection is aborted.

    Attributes:
        plain: For the negotiation in plaintext.
        handshake: From the switch to TLS until the connection is secure.
        idle: For a secure connection without a byte in either direction.
        closing: From our close_notify until the peer's.

    Raises:
        ValueError: If one is negative.
    """

    plain: float = 60.0
    handshake: float = 30.0
    idle: float = 600.0
    closing: float = 10.0

    def __post_init__(self) -> None:
        for name, seconds in vars(self).items():
            if seconds < 0:
                raise ValueError(f"{name} is {seconds!r}; give seconds, or 0 for no limit")


NO_TIMEOUTS = Timeouts(0, 0, 0, 0)
"""No limits, for applications that have timeouts of their own."""

_CAUSES = {
    ConnectionPhase.PLAIN: Cause.PLAIN_TIMEOUT,
    ConnectionPhase.HANDSHAKE: Cause.HANDSHAKE_TIMEOUT,
    ConnectionPhase.OPEN: Cause.IDLE,
    ConnectionPhase.CLOSING: Cause.CLOSING_TIMEOUT,
}

_IDLE_CHECKS = 4
"""Checks per idle timeout; a connection may be idle for a quarter longer than the timeout."""


class Timed(typing.Protocol):
    """What a :class:`PhaseTimer` can abort."""

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far."""

    def rest(self) -> None:
        """Free what is not needed, as nothing has been transferred for a while."""

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and report ``close_reason``."""


class PhaseTimer:
    """Aborts a connection if one of its phases takes too long.

    Args:
        clock: Schedules the timeouts; needed only if there are any.
        timeouts: The timeout of each phase.

    Attributes:
        target: The connection; ``None`` once the phase is ``OVER``.
        phase: The present phase.
    """

    __slots__ = (
        "_checks",
        "_clock",
        "_deadlines",
        "_timeouts",
        "_transferred",
        "due",
        "phase",
        "seconds",
        "target",
    )

    def __init__(self, clock: IReactorTime | None, timeouts: Timeouts) -> None:
        self.target: Timed | None = None
        self.phase = ConnectionPhase.OVER
        self.due = self.seconds = 0.0
        self._clock = clock
        self._timeouts = timeouts
        # None unless there is a deadline now.
        self._deadlines: Deadlines | None = None
        self._transferred = -1
        self._checks = 0

    def enter(self, phase: ConnectionPhase) -> None:
        """Begin ``phase`` and its timeout, instead of that of the phase before."""
        self.phase = phase
        limit = 0.0
        if phase is ConnectionPhase.HANDSHAKE:
            limit = self._timeouts.handshake
        elif phase is ConnectionPhase.OPEN:
            limit = self._timeouts.idle / _IDLE_CHECKS
            self._checks = 0
            if limit > 0:
                self._transferred = self._target.transferred
        elif phase is ConnectionPhase.PLAIN:
            limit = self._timeouts.plain
        elif phase is ConnectionPhase.CLOSING:
            limit = self._timeouts.closing
        else:
            self.target = None
        if limit > 0:
            self._later(limit)
        elif self._deadlines is not None:
            self._deadlines.cancel(self)
            self._deadlines = None

    @property
    def _target(self) -> Timed:
        assert self.target is not None
        return self.target

    def _later(self, seconds: float) -> None:
        if self._deadlines is not None:
            self._deadlines.move(self, seconds)
            return
        assert self._clock is not None, "timeouts need a clock"
        self._deadlines = deadlines_of(self._clock)
        self._deadlines.begin(self, seconds)

    def expire(self) -> None:
        """Abort the connection, unless it only had to be looked at whether it is idle."""
        self._deadlines = None
        if self.phase is ConnectionPhase.OPEN and self._is_used():
            self._later(self.seconds)
            return
        limit: float = getattr(self._timeouts, self.phase.value)
        self._target.abort(CloseReason(_CAUSES[self.phase], f"after {limit:g} s"))

    def _is_used(self) -> bool:
        transferred = self._target.transferred
        self._checks = self._checks + 1 if transferred == self._transferred else 0
        self._transferred = transferred
        if self._checks == 1:
            self._target.rest()
        return self._checks < _IDLE_CHECKS
