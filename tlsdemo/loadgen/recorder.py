"""What one worker measures, and hands over from time to time."""

from __future__ import annotations

from collections.abc import Callable

from tlsdemo.reporting.latencies import Latencies


class Recorder:
    """Keeps the latencies of the work that was due in the present window, after its warm-up.

    ``now`` is a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._since = float("-inf")
        self._latencies = Latencies()

    def begin(self, unmeasured: float) -> None:
        """Begin a window whose first ``unmeasured`` seconds are left out."""
        self._since = self.now() + unmeasured

    def record(self, name: str, due: float, since: float | None = None) -> None:
        """Record a latency that ends now, of work that was ``due`` then.

        ``since`` is when it began, if that is not when the work was due.
        """
        if due >= self._since:
            self._latencies.record(name, self.now() - (due if since is None else since))

    def stall(self, name: str, seconds: float, period: float) -> None:
        """Record a delay of a call that is made every ``period``."""
        if self.now() >= self._since:
            self._latencies.record_stall(name, seconds, period)

    def take(self) -> Latencies:
        """Return what has been recorded since this was called last."""
        taken, self._latencies = self._latencies, Latencies()
        return taken
