"""PURE.  What a trace says, without its times: the order of events on each end and on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.trace.model import Arrow, End, Fate, Trace, fields_of
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event

STATE = "OpenSSL state"
"""The events that tell of OpenSSL's inner states, which differ from one version to the next."""

PLUMBING = ("net.Socket ", "encrypted ", "wire ")
"""The events of what a foreign program puts together underneath its application's stream."""

_TELLING = {
    "connectionLost": ("reason",),
    "socket lost": ("reason",),
    "insecure": ("cause",),
    "closed": ("cause",),
    "alert in": ("alert",),
    "alert out": ("alert",),
}
"""What belongs to an event's name, since another of it would be another event."""


_SECURED = ("handshakeCompleted", "start_tls returned", "secure", "secureConnect")
"""The events by which the ecosystems tell an application that its connection is secure."""


def label(event: Event) -> str:
    """Return an event's name, and of its facts what tells it from others of that name."""
    facts = [str(event.facts[key]) for key in _TELLING.get(event.name, ()) if key in event.facts]
    return " ".join((event.name, *(facts or _problem(event))))


def _problem(event: Event) -> list[str]:
    """Return the name of the exception that a foreign event tells of, if it does."""
    name, colon, _ = str(event.facts.get("text", "")).partition(": ")
    return [name] if colon and name.isidentifier() else []


def _is_told(event: Event) -> bool:
    return event.name != STATE and not event.name.startswith(PLUMBING)


def wire_label(arrow: Arrow) -> str:
    """Return a record without its length, which signatures make differ by a byte or two."""
    record = arrow.record
    words = [arrow.sender.value, record.kind.value.replace("_", " ")]
    if record.kind is not Kind.UNREADABLE:
        words += record.messages
    if arrow.fate is not Fate.PASSED:
        words.append(f"({arrow.fate.value})")
    return " ".join(words)


@dataclass(frozen=True)
class EventSequences:
    """The order of events on each end, and of records in each direction."""

    server: tuple[str, ...]
    client: tuple[str, ...]
    wire: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace) -> EventSequences:
        """Take the orders from a trace.

        Records of the two directions cross each other as they please, so each has its own order.
        """
        arrows = trace.arrows()

        def of_end(end: End) -> tuple[str, ...]:
            return tuple(label(event) for event in trace.marks(end) if _is_told(event))

        wire = tuple(wire_label(arrow) for end in End for arrow in arrows if arrow.sender is end)
        return cls(of_end(End.SERVER), of_end(End.CLIENT), wire)


@dataclass
class Observation:
    """One cell of the matrix, and what was seen in it; ``traces`` are those of each time.

    ``why``: why there is no such connection, where there is none.
    """

    mode: str
    tls: str
    scenario: str
    peer: str
    why: str = ""
    traces: list[Trace] = field(default_factory=list)

    @property
    def orders(self) -> list[EventSequences]:
        """The different orders that were seen, the first one first."""
        return list(dict.fromkeys(EventSequences.of(trace) for trace in self.traces))

    @property
    def race(self) -> bool:
        """Whether the same connection, made again, went in another order."""
        return len(self.orders) > 1

    def outcome(self, end: End) -> str:
        """Return in a few words what became of one end."""
        return outcome(self.traces[0].marks(end)) if self.traces else ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it: the orders first, then everything that was seen."""
        seen: dict[str, Any] = {
            "mode": self.mode,
            "tls": self.tls,
            "way": self.scenario,
            "peer": self.peer,
            "race": self.race,
            "why": self.why,
        }
        orders = self.orders
        for name in ("server", "client", "wire"):
            seen[name] = list(getattr(orders[0], name)) if orders else []
        seen["also"] = [
            {name: list(getattr(each, name)) for name in ("server", "client", "wire")}
            for each in orders[1:]
        ]
        if self.traces:
            seen["trace"] = [fields_of(each) for each in self.traces[0].in_order()]
        return seen


def outcome(events: Sequence[Event]) -> str:
    """Say in a few words what an end was told: whether it was secure, and how it ended."""
    names = {event.name for event in events}
    told = [name for name in _SECURED if name in names]
    ours = [each for each in events if each.name in ("insecure", "closed")]
    if ours:
        return ", ".join([*told, str(ours[-1].facts.get("cause", ""))])
    heard = [each for each in events if _is_told(each) and not each.name.startswith("warning")]
    foreign = [each for each in heard if _problem(each)] or heard[-1:]
    return ", ".join([*told, *(label(each) for each in foreign[:1])])
