"""A pacer calls a function whenever work is due."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.interfaces import IDelayedCall

MOST_AT_ONCE = 256
"""Calls in one iteration of the reactor; with more that are due, the others wait for the next."""


class Pacer:
    """Calls ``do`` with each due time, as soon as that has come.

    ``now`` is a clock that only goes forward; ``due_times`` are in seconds from its present value.
    """

    def __init__(
        self,
        reactor: Any,
        now: Callable[[], float],
        due_times: Iterator[float],
        do: Callable[[float], object],
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._due_times = due_times
        self._do = do
        self._began = now()
        self._next = self._following()
        self._call: IDelayedCall | None = reactor.callLater(0, self._work)

    def stop(self) -> int:
        """Call no more; return how many calls were due, and had to wait for others."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        behind = 0
        while self._next <= self._now():
            behind += 1
            self._next = self._following()
        return behind

    def _following(self) -> float:
        return self._began + next(self._due_times, math.inf)

    def _work(self) -> None:
        self._call = None
        now = self._now()
        for _ in range(MOST_AT_ONCE):
            if self._next > now:
                break
            due = self._next
            self._next = self._following()
            self._do(due)
        if self._next < math.inf:
            wait = max(0.0, self._next - self._now())
            self._call = self._reactor.callLater(wait, self._work)
