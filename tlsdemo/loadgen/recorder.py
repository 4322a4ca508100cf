"""What one worker measures, and hands over from time to time."""

from __future__ import annotations

import math
from collections.abc import Callable

from tlsdemo.reporting.latencies import Latencies


class Recorder:
    """Keeps latencies by the window in which the work was due, but for those of a warm-up.

    Window 0 lasts until the first :meth:`begin`.  ``now`` is a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        # Their numbers, when they began, and since when they are measured.
        self._windows = [(0, -math.inf, -math.inf)]
        self._latencies: dict[int, Latencies] = {}

    def begin(self, number: int, unmeasured: float) -> None:
        """Begin a window whose first ``unmeasured`` seconds are left out."""
        now = self.now()
        self._windows.append((number, now, now + unmeasured))

    def record(self, name: str, due: float, since: float | None = None) -> None:
        """Record a latency that ends now, of work that was ``due`` then.

        ``since`` is when it began, if that is not when the work was due.
        """
        if latencies := self._of(due):
            latencies.record(name, self.now() - (due if since is None else since))

    def waited(self, due: float) -> bool:
        """Return whether what was due then has waited for the load to begin."""
        return any(due < began for number, began, _ in self._windows if number == 1)

    def stall(self, name: str, seconds: float, period: float) -> None:
        """Record a delay of a call that is made every ``period``."""
        if latencies := self._of(self.now()):
            latencies.record_stall(name, seconds, period)

    def take(self) -> dict[int, Latencies]:
        """Return what has been recorded since this was called last, by window."""
        taken, self._latencies = self._latencies, {}
        return taken

    def _of(self, due: float) -> Latencies | None:
        for number, began, since in reversed(self._windows):
            if due >= began:
                return self._latencies.setdefault(number, Latencies()) if due >= since else None
        raise AssertionError("window 0 has no beginning")
