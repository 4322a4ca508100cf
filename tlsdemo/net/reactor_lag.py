"""Measuring the lag of the reactor: how late its delayed calls are."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class LagReading:
    """The greatest lag in seconds since this was made or last reset."""

    def __init__(self) -> None:
        self.greatest = 0.0

    def note(self, late: float) -> None:
        """Note a lag in seconds."""
        self.greatest = max(self.greatest, late)

    def take(self) -> float:
        """Return the greatest lag, and reset it."""
        greatest, self.greatest = self.greatest, 0.0
        return greatest


class LagMeter:
    """Schedules a call every ``period`` seconds, and measures how late it is.

    ``now`` is what it is measured by, if not the clock itself.  Each user has a :meth:`reading` of
    its own, which others do not reset.
    """

    def __init__(
        self,
        clock: IReactorTime,
        period: float = 0.05,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock
        self._period = period
        self._now = now or clock.seconds
        self._due: float
        self._call: IDelayedCall | None = None
        self._reports: list[Callable[[float], object]] = []

    def reading(self) -> LagReading:
        """Return a new reading, which is updated as long as the meter runs."""
        reading = LagReading()
        self.report_to(reading.note)
        return reading

    def report_to(self, report: Callable[[float], object]) -> None:
        """Call ``report`` with each lag that is measured, in seconds."""
        self._reports.append(report)

    def start(self) -> None:
        """Start measuring."""
        self._due = self._now() + self._period
        self._call = self._clock.callLater(self._period, self._tick)

    def stop(self) -> None:
        """Stop measuring."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _tick(self) -> None:
        late = self._now() - self._due
        for report in self._reports:
            report(late)
        self.start()
