"""What a probe has measured: how long its messages took through a server under load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tlsdemo.reporting.latencies import ROUND_TRIP, Latencies

PROBE = "probe"
"""Named beside the latencies: what a probe measures while the load is sent."""


@dataclass(frozen=True)
class ProbeResult:
    """The measurements of a probe.

    Attributes:
        rate: Messages that were due per second.
        latencies: How long they took, from when they were due until they had come back.
        unanswered: How many have not come back.
        lag: Seconds by which the probe's own reactor was late, exceeded for 1 % of the time;
            ``None`` if that was not measured.
        problem: One line that says why it could not measure, or not all.
    """

    rate: float
    latencies: Latencies = field(default_factory=Latencies)
    unanswered: int = 0
    lag: float | None = None
    problem: str | None = None

    @property
    def measured(self) -> int:
        """How many messages have come back."""
        return self.latencies.count(ROUND_TRIP)

    def at(self, percentile: float) -> float | None:
        """Return the seconds within which so many per cent of all messages came back.

        ``None`` if fewer did: one without an answer counts as slower than all others.
        """
        if not self.measured:
            return None
        of_measured = percentile * (self.measured + self.unanswered) / self.measured
        return None if of_measured > 100 else self.latencies.at(ROUND_TRIP, of_measured)

    @property
    def mean(self) -> float | None:
        """The mean in seconds; ``None`` if not all messages came back."""
        return None if self.unanswered else self.latencies.mean(ROUND_TRIP)

    def as_json(self) -> dict[str, Any]:
        """Return the measurements for JSON; times are in seconds."""
        return {
            "rate": self.rate,
            "measured": self.measured,
            "unanswered": self.unanswered,
            "p50": self.at(50.0),
            "p90": self.at(90.0),
            "p99": self.at(99.0),
            "max": self.at(100.0),
            "histogram": self.latencies.as_json().get(ROUND_TRIP),
            "lag": self.lag,
            "problem": self.problem,
        }
