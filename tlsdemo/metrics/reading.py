"""PURE. The figures of a server at one moment, as the live page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.reporting.snapshot import Snapshot, counted


@dataclass(frozen=True)
class Reading:
    """The counters, and what only a server with pages measures.

    Attributes:
        snapshot: The server's counters.
        states: How many connections are open, by state.
        handshakes: How many handshakes took how long: one number for each bucket of `DURATIONS`,
            and one for those beyond.
    """

    snapshot: Snapshot
    states: Mapping[str, int] = field(default_factory=dict)
    handshakes: Sequence[int] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            "statistics": self.snapshot.as_json(),
            "states": dict(self.states),
            "handshakes": list(self.handshakes),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reading:
        """Read the result of :meth:`as_json`; raises ValueError or KeyError if it is none."""
        statistics, states, handshakes = (
            values[name] for name in ("statistics", "states", "handshakes")
        )
        if not isinstance(statistics, dict) or not isinstance(states, dict):
            raise ValueError("the statistics and the states have to be objects")
        if not isinstance(handshakes, list):
            raise ValueError("the handshakes have to be a list")
        return cls(
            Snapshot.from_json(statistics),
            {str(name): counted(number) for name, number in states.items()},
            [counted(number) for number in handshakes],
        )
