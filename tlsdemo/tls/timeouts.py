"""Timeouts for each phase of a connection."""

from __future__ import annotations

import enum
import typing
from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason


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
    """

    plain: float = 60.0
    handshake: float = 30.0
    idle: float = 600.0
    closing: float = 10.0


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

    target: Timed | None = None

    def __init__(self, clock: IReactorTime | None, timeouts: Timeouts) -> None:
        self._clock = clock
        self._timeouts = timeouts
        self._call: IDelayedCall | None = None
        self._transferred = -1
        self._checks = 0
        self.phase = ConnectionPhase.OVER

    def enter(self, phase: ConnectionPhase) -> None:
        """Begin ``phase`` and its timeout, and cancel the timeout of the phase before."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self.phase = phase
        if phase is ConnectionPhase.OVER:
            self.target = None
            return
        limit: float = getattr(self._timeouts, phase.value)
        if limit <= 0:
            return
        if phase is ConnectionPhase.OPEN:
            self._checks = 0
            self._transferred = self._target.transferred
            self._later(limit / _IDLE_CHECKS, self._check_idle)
        else:
            self._later(limit, self._expire)

    @property
    def _target(self) -> Timed:
        assert self.target is not None
        return self.target

    def _later(self, seconds: float, call: object) -> None:
        assert self._clock is not None, "timeouts need a clock"
        self._call = self._clock.callLater(seconds, call)  # type: ignore[arg-type]

    def _check_idle(self) -> None:
        transferred = self._target.transferred
        self._checks = self._checks + 1 if transferred == self._transferred else 0
        self._transferred = transferred
        if self._checks >= _IDLE_CHECKS:
            self._expire()
        else:
            self._later(self._timeouts.idle / _IDLE_CHECKS, self._check_idle)

    def _expire(self) -> None:
        self._call = None
        limit: float = getattr(self._timeouts, self.phase.value)
        self._target.abort(CloseReason(_CAUSES[self.phase], f"after {limit:g} s"))
