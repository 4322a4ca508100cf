"""What was measured in one window of a load, and whether that is about the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.reporting.latencies import LAG, Latencies
from tlsdemo.reporting.load_counters import LoadCounters

BUSY = 0.9
"""Share of one CPU from which a worker is at its limit: it has only one thread."""

LONG_ENOUGH = 0.5
"""Seconds of a window that shows how busy a worker is; in a shorter one it has only begun."""

MOST_LATE = 0.001
"""The share of the work that may be late at a rate with which a server keeps up."""

LATE = 0.01
"""Seconds of lag, exceeded for 1 % of the time, from which latencies are the worker's."""


@dataclass(frozen=True)
class WorkerLoad:
    """How busy one worker was.

    Attributes:
        cpu: The share of one CPU that it used, from 0 to 1.
        lag: Seconds by which its reactor was late, exceeded for 1 % of the time; ``None`` if that
            was not measured.
    """

    cpu: float
    lag: float | None = None

    @property
    def at_its_limit(self) -> bool:
        """Whether it could not do more, or measures its own delays."""
        return self.cpu >= BUSY or (self.lag is not None and self.lag >= LATE)


@dataclass(frozen=True)
class WindowResult:
    """The measurements of one window.

    Attributes:
        number: 0 for the time in which connections were opened before the load.
        main: The latency that counts the work that was done.
        rate: Units of work that were due per second; 0 in a closed loop.
        seconds: How long it was measured.
        counters: What was counted, from its beginning to its end, with the warm-up.
        latencies: Of the work that was due in the time that was measured.
        unfinished: Units of work that had been begun, and were not done soon after the end.
        workers: How busy each worker was.
        open_before: Connections that were open at its beginning.
    """

    number: int
    main: str
    rate: float
    seconds: float
    counters: LoadCounters
    latencies: Latencies = field(default_factory=Latencies)
    unfinished: int = 0
    workers: tuple[WorkerLoad, ...] = ()
    open_before: int = 0

    @property
    def loop(self) -> str:
        """Whether work was due by a plan (``open``), or when other work was done (``closed``)."""
        return "open" if self.rate else "closed"

    @property
    def done(self) -> int:
        """Units of work that were due in the time that was measured, and done."""
        return self.latencies.count(self.main)

    @property
    def done_per_second(self) -> float:
        """How many units were done of each second that was measured."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def failed_share(self) -> float:
        """The share of the connections that were open in it which failed, from 0 to 1."""
        connections = self.open_before + self.counters.begun
        return self.counters.failures / connections if connections else 0.0

    @property
    def missed_share(self) -> float:
        """The share of the work that was due and was not started in time, from 0 to 1."""
        due = self.counters.missed + self.unfinished + self.done
        return self.counters.missed / due if due else 0.0

    @property
    def kept_up(self) -> bool:
        """Whether work was done, and all but `MOST_LATE` of what was due."""
        late = self.counters.missed + self.unfinished
        return self.done > 0 and late <= MOST_LATE * (late + self.done)

    def warnings(self) -> Iterator[str]:
        """Say why the figures are about the client, if they are."""
        if self.seconds < LONG_ENOUGH:
            return
        for index, worker in enumerate(self.workers, 1):
            if worker.cpu >= BUSY:
                yield (
                    f"worker {index} used {worker.cpu:.0%} of a CPU, all that it can: the figures "
                    "are about the client; use more --workers, on more CPUs"
                )
            elif worker.at_its_limit:
                assert worker.lag is not None
                yield (
                    f"worker {index} was {worker.lag * 1000:.0f} ms late for 1 % of the time: the "
                    "latencies are about the client; let less run beside it"
                )

    def as_json(self) -> dict[str, Any]:
        """Return the measurements for JSON; latencies are in seconds."""
        return {
            "number": self.number,
            "main": self.main,
            "loop": self.loop,
            "rate": self.rate or None,
            "seconds": self.seconds,
            "done": self.done,
            "done_per_second": self.done_per_second,
            "missed": self.counters.missed,
            "unfinished": self.unfinished,
            "open_before": self.open_before,
            "counters": self.counters.as_json(),
            "latencies": self.latencies.summary_as_json(),
            "histograms": self.latencies.as_json(),
            "workers": [{"cpu": each.cpu, "lag": each.lag} for each in self.workers],
            "warnings": [*self.warnings()],
        }


def worker_load(latencies: Latencies, cpu: float, seconds: float) -> WorkerLoad:
    """Return how busy a worker was that used so many CPU seconds in so many seconds."""
    return WorkerLoad(cpu / seconds if seconds > 0 else 0.0, latencies.at(LAG, 99.0))
