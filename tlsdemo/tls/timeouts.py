"""How long each phase of a connection may last, and what happens when it lasts longer."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from tlsdemo.close_reasons import Cause, CloseReason


class Phase(enum.Enum):
    """What a connection is at."""

    PLAIN = "plain"
    HANDSHAKE = "handshake"
    SECURE = "secure"
    CLOSING = "closing"
    OVER = "over"


@dataclass(frozen=True)
class Timeouts:
    """Seconds that each phase may last; 0 for as long as it likes.

    ``plain``: the words before TLS.  ``handshake``: from the first byte of TLS until it is secure.
    ``idle``: without a byte in either direction once it is.  ``closing``: from our goodbye until
    the peer's, after which the connection is cut off.
    """

    plain: float = 60.0
    handshake: float = 30.0
    idle: float = 600.0
    closing: float = 10.0


NO_TIMEOUTS = Timeouts(0, 0, 0, 0)
"""No deadline at all: for those who keep their own."""

_CLOSE_REASONS = {
    Phase.PLAIN: CloseReason(Cause.PLAIN_TIMEOUT),
    Phase.HANDSHAKE: CloseReason(Cause.HANDSHAKE_TIMEOUT),
    Phase.SECURE: CloseReason(Cause.IDLE),
    Phase.CLOSING: CloseReason(Cause.CLOSING_TIMEOUT),
}

_LOOKS = 4
"""How often a silence is looked at before it counts as idle; so it may last a quarter longer."""


def _nobody_moves() -> int:
    return 0


def _nobody_expires(_close_reason: CloseReason) -> None:
    """Expire nobody: it is over."""


class PhaseTimer:
    """Watches one connection.

    ``moved`` returns a number that grows with every byte of the secure phase; ``expire`` is called
    with the ending when a phase has lasted too long.  ``phase`` is the present one.
    """

    def __init__(
        self,
        clock: IReactorTime,
        timeouts: Timeouts,
        moved: Callable[[], int],
        expire: Callable[[CloseReason], object],
    ) -> None:
        self._clock = clock
        self._moved = moved
        self._expire = expire
        self._limits = {
            Phase.PLAIN: timeouts.plain,
            Phase.HANDSHAKE: timeouts.handshake,
            Phase.SECURE: timeouts.idle,
            Phase.CLOSING: timeouts.closing,
        }
        self.phase = Phase.OVER
        self._call: IDelayedCall | None = None
        self._last = -1
        self._looks = 0

    def enter(self, phase: Phase) -> None:
        """Begin ``phase``, and with it its deadline; that of the phase before is over."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self.phase = phase
        if phase is Phase.OVER:
            # Whom it watched may hold it, and is to be held no longer.
            self._moved, self._expire = _nobody_moves, _nobody_expires
        limit = self._limits.get(phase, 0.0)
        if limit <= 0:
            return
        if phase is Phase.SECURE:
            self._last = self._moved()
            self._looks = 0
            self._call = self._clock.callLater(limit / _LOOKS, self._look)
        else:
            self._call = self._clock.callLater(limit, self._too_long)

    def _look(self) -> None:
        moved = self._moved()
        self._looks = self._looks + 1 if moved == self._last else 0
        self._last = moved
        if self._looks >= _LOOKS:
            self._too_long()
        else:
            self._call = self._clock.callLater(self._limits[Phase.SECURE] / _LOOKS, self._look)

    def _too_long(self) -> None:
        self._call = None
        close_reason = _CLOSE_REASONS[self.phase]
        seconds = f"after {self._limits[self.phase]:g} s"
        self._expire(CloseReason(close_reason.cause, seconds))
