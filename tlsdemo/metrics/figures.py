"""PURE. What a process measures of its connections beside the counters, to be told and added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tlsdemo.metrics.histogram import Histogram
from tlsdemo.reporting.snapshot import counted

DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The bounds of the histograms of handshakes and upgrades, in seconds."""

LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""The bounds of the histogram of the reactor's lag, in seconds."""


class Agreed(NamedTuple):
    """What is counted of a handshake: the version of TLS, the group, and if it was an upgrade."""

    version: str
    group: str
    upgraded: bool


OTHER = Agreed("other", "other", False)


@dataclass(frozen=True)
class Figures:
    """The figures of one process, or of several.

    Attributes:
        states: How many connections are open, by state.
        handshakes: Seconds from the switch to TLS until a connection was secure.
        upgrades: Seconds from a connection's beginning to the switch.
        lag: How late the reactor was, in seconds.
        agreed: How many connections were secured, by what they agreed on.
    """

    states: Mapping[str, int] = field(default_factory=dict)
    handshakes: Histogram = field(default_factory=lambda: Histogram(DURATIONS))
    upgrades: Histogram = field(default_factory=lambda: Histogram(DURATIONS))
    lag: Histogram = field(default_factory=lambda: Histogram(LAGS))
    agreed: Mapping[Agreed, int] = field(default_factory=dict)

    @classmethod
    def total(cls, several: Iterable[Figures]) -> Figures:
        """Add them up; nothing is lost by that, as all have the same bounds."""
        each = list(several)
        states: Counter[str] = Counter()
        agreed: Counter[Agreed] = Counter()
        for one in each:
            states.update(one.states)
            agreed.update(one.agreed)
        return cls(
            states,
            Histogram.total(DURATIONS, (one.handshakes for one in each)),
            Histogram.total(DURATIONS, (one.upgrades for one in each)),
            Histogram.total(LAGS, (one.lag for one in each)),
            agreed,
        )

    def without_states(self) -> Figures:
        """Return what stays when all connections have ended."""
        return replace(self, states={})

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "states": dict(self.states),
            "handshakes": self.handshakes.as_json(),
            "upgrades": self.upgrades.as_json(),
            "lag": self.lag.as_json(),
            "agreed": [[*agreed, number] for agreed, number in self.agreed.items()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Figures:
        """Read the result of :meth:`as_json`; raises ValueError or KeyError if it is none."""
        return cls(
            {str(name): counted(number) for name, number in values["states"].items()},
            Histogram.from_json(DURATIONS, values["handshakes"]),
            Histogram.from_json(DURATIONS, values["upgrades"]),
            Histogram.from_json(LAGS, values["lag"]),
            {
                Agreed(str(version), str(group), bool(upgraded)): counted(number)
                for version, group, upgraded, number in values["agreed"]
            },
        )
