"""How late the reactor is."""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Watch:
    """The greatest lag, in seconds, since this was begun or last taken."""

    def __init__(self) -> None:
        self.greatest = 0.0

    def take(self) -> float:
        """Return the greatest lag, and begin anew."""
        greatest, self.greatest = self.greatest, 0.0
        return greatest


class LagMeter:
    """Asks to be called every ``period`` seconds, and notes by how much that is missed.

    Each who wants to know has a :meth:`watch` of its own, which nobody else resets.
    """

    def __init__(self, clock: IReactorTime, period: float = 0.05) -> None:
        self._clock = clock
        self._period = period
        self._due: float
        self._call: IDelayedCall | None = None
        self._watches: list[Watch] = []

    def watch(self) -> Watch:
        """Return a watch, to be kept as long as the meter."""
        watch = Watch()
        self._watches.append(watch)
        return watch

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._clock.seconds() + self._period
        self._call = self._clock.callLater(self._period, self._tick)

    def stop(self) -> None:
        """Measure no more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _tick(self) -> None:
        late = self._clock.seconds() - self._due
        for watch in self._watches:
            watch.greatest = max(watch.greatest, late)
        self.start()
