"""The queue of work: in an open loop when it is due, in a closed loop whenever there is room.

Theory of operation.  In an open loop the due times come from a plan.  What cannot be started when
it is due, because every connection is busy, waits, and keeps its due time: its latency begins
there, not when it is started at last.  So a server that stalls is blamed for everything that it
delayed.  What still waits when the window ends is counted as missed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tlsdemo.loadgen.arrivals import Window, due_times
from tlsdemo.loadgen.pacer import Pacer


class WorkQueue:
    """Calls ``start`` with a due time to start a unit of work; it returns false if it cannot.

    ``index`` and ``of``: which of the workers this is.
    """

    def __init__(
        self,
        reactor: Any,
        now: Callable[[], float],
        start: Callable[[float], bool],
        index: int = 0,
        of: int = 1,
    ) -> None:
        self._reactor = reactor
        self._now = now
        self._start = start
        self._index = index
        self._of = of
        self._waiting: deque[float] = deque()
        self._pacer: Pacer | None = None
        self._closed_loop = False
        self._missed = 0

    def begin(self, window: Window) -> None:
        """Start work, as ``window`` says, until :meth:`rest`."""
        if window.rate:
            times = due_times(window, self._index, self._of)
            self._pacer = Pacer(self._reactor, self._now, times, self._due)
        else:
            self._closed_loop = True
            self.room()

    def rest(self) -> None:
        """Start no more work, and count what was due."""
        self._closed_loop = False
        if self._pacer is not None:
            self._missed += self._pacer.stop()
            self._pacer = None
        self._missed += len(self._waiting)
        self._waiting.clear()

    def take_missed(self) -> int:
        """Return how much work was due and not started before :meth:`rest`, and forget it."""
        missed, self._missed = self._missed, 0
        return missed

    def room(self) -> None:
        """Start what waits, now that there is room for some."""
        while self._waiting and self._start(self._waiting[0]):
            self._waiting.popleft()
        while self._closed_loop and self._start(self._now()):
            pass

    def _due(self, due: float) -> None:
        if self._waiting or not self._start(due):
            self._waiting.append(due)
