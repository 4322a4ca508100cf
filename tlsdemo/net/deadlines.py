"""The deadlines of all connections, with one delayed call for all of them.

Theory of operation.  Most deadlines never come: a connection moves on to its next phase, and has
another.  There are few durations, those of the timeouts.  So the deadlines of each duration are a
queue in which new ones are last: to begin, to move and to cancel one takes the same short time
however many there are.  The delayed call is for the earliest, or for one that has been earlier.
"""

from __future__ import annotations

import math
import typing
from collections import OrderedDict
from functools import lru_cache

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Deadlined(typing.Protocol):
    """What has a deadline; hashed by identity.

    Attributes:
        due: When, by the clock; set by :class:`Deadlines`.
        seconds: The duration that it had; set by :class:`Deadlines`.
    """

    due: float
    seconds: float

    def expire(self) -> None:
        """The deadline has come."""


class Deadlines:
    """Calls ``expire`` of what is due by ``clock``."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._queues: dict[float, OrderedDict[Deadlined, None]] = {}
        self._number = 0
        self._call: IDelayedCall | None = None
        self._called_at = math.inf

    def begin(self, what: Deadlined, seconds: float) -> None:
        """Have ``what``, which has no deadline, expire in ``seconds``."""
        queue = self._queues.get(seconds)
        if queue is None:
            queue = self._queues[seconds] = OrderedDict()
        what.seconds = seconds
        what.due = due = self._clock.seconds() + seconds
        queue[what] = None
        self._number += 1
        if due < self._called_at:
            self._call_at(due)

    def move(self, what: Deadlined, seconds: float) -> None:
        """Have ``what`` expire in ``seconds`` from now, instead of when it would have."""
        self._remove(what)
        self.begin(what, seconds)

    def cancel(self, what: Deadlined) -> None:
        """Never have ``what`` expire."""
        self._remove(what)
        if not self._number:
            self._call_at(math.inf)

    def _remove(self, what: Deadlined) -> None:
        queue = self._queues[what.seconds]
        del queue[what]
        if not queue:
            del self._queues[what.seconds]
        self._number -= 1

    def _call_at(self, due: float) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._called_at = due
        if due < math.inf:
            self._call = self._clock.callLater(max(0.0, due - self._clock.seconds()), self._expire)

    def _earliest(self) -> Deadlined | None:
        first = [next(iter(queue)) for queue in self._queues.values()]
        return min(first, key=lambda each: each.due, default=None)

    def _expire(self) -> None:
        self._call = None
        # A clock that calls earlier than it was asked to is believed, as a delayed call would be.
        now = max(self._clock.seconds(), self._called_at)
        try:
            while (what := self._earliest()) is not None and what.due <= now:
                self._remove(what)
                what.expire()
        finally:
            # What expires may have begun another deadline.
            what = self._earliest()
            self._call_at(math.inf if what is None else what.due)


@lru_cache(maxsize=16)
def deadlines_of(clock: IReactorTime) -> Deadlines:
    """Return the deadlines by ``clock``: nearly always the same, as there is one reactor."""
    return Deadlines(clock)
