"""The progress of a load: its phases, from its counters."""

from __future__ import annotations

from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.snapshot import MEGABYTE


class LoadProgress:
    """Shows a load of ``connections``, which send for ``duration`` seconds or ``packets`` each."""

    def __init__(
        self, progress: Progress, connections: int, duration: float = 0.0, packets: int = 0
    ) -> None:
        self._progress = progress
        self._connections = connections
        self._duration = duration
        self._packets = packets
        self._phase = ""
        self._began = 0.0
        self._sent_before = 0

    def show(self, phase: str, counters: LoadCounters, elapsed: float) -> None:
        """Show ``counters`` after ``elapsed`` seconds in ``phase``, a value of `LoadPhase`."""
        if phase != self._phase:
            self._phase, self._began, self._sent_before = phase, elapsed, counters.sent
            self._begin(phase, counters)
        done = {
            "connecting": counters.secured + counters.failures,
            "sending": counters.packets,
            "draining": counters.ended,
        }.get(phase)
        if done is not None:
            self._progress.update(done, *self._facts(counters, elapsed))

    def _begin(self, phase: str, counters: LoadCounters) -> None:
        if phase == "connecting":
            self._progress.begin("securing", self._connections, "connections")
        elif phase == "sending" and self._packets:
            self._progress.begin("sending", self._packets * counters.secured, "packets")
        elif phase == "sending":
            self._progress.begin("sending", seconds=self._duration)
        elif phase == "draining":
            self._progress.begin("closing", self._connections, "connections")
        elif phase == "over":
            self._progress.clear()
        else:
            self._progress.begin("starting the clients")

    def _facts(self, counters: LoadCounters, elapsed: float) -> list[str]:
        facts = [f"{counters.failures:,} failed"] if counters.failures else []
        if self._phase == "sending":
            took = elapsed - self._began
            rate = (counters.sent - self._sent_before) / MEGABYTE / took if took > 0 else 0.0
            facts += [f"{rate:,.1f} MB/s", f"{counters.sent / MEGABYTE:,.1f} MB"]
        return facts

    def window(self, number: int, rate: float, seconds: float) -> None:
        """Show that a window begins; ``seconds`` is infinite if its work ends it."""
        del number, rate, seconds
