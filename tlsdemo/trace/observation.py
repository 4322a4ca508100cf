"""PURE.  Observations of a connection without its times: the sequence of events on each end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.close_reasons import Cause
from tlsdemo.trace.model import Arrow, End, Fate, Trace, fields_of
from tlsdemo.trace.record import Kind
from tlsdemo.trace.timeline import Event

STATE = "OpenSSL state"
"""The name of the events for OpenSSL's internal states, which differ between its versions."""

PLUMBING = ("net.Socket ", "encrypted ", "wire ")
"""Prefixes of events from the layers below the application's stream in programs of other stacks."""

LIFELINES = ("server", "client", "wire")

_DISTINGUISHING_FACTS = {
    "connectionLost": ("reason",),
    "socket lost": ("reason",),
    "insecure": ("cause",),
    "closed": ("cause",),
    "alert in": ("alert",),
    "alert out": ("alert",),
}
"""Facts that are part of an event's label: with another value it is a different event."""

SECURED = ("handshakeCompleted", "start_tls returned", "secure", "secureConnect")
"""The events by which the stacks report to an application that its connection is secure."""


_FAILURE = re.compile(r"raised|[Ee]rror|ConnectionLost|status [1-9]")
"""Found in the labels that report a failure without the name of an exception."""


def label(event: Event) -> str:
    """Return an event's name, with the facts that distinguish it from others of that name."""
    keys = _DISTINGUISHING_FACTS.get(event.name, ())
    facts = [str(event.facts[key]) for key in keys if key in event.facts]
    return " ".join((event.name, *(facts or _exception_name(event))))


def _exception_name(event: Event) -> list[str]:
    """Return the name of the exception in an event of another stack, if it has one."""
    name, colon, _ = str(event.facts.get("text", "")).partition(": ")
    return [name] if colon and name.isidentifier() else []


def _concerns_application(event: Event) -> bool:
    return event.name != STATE and not event.name.startswith(PLUMBING)


def wire_label(arrow: Arrow) -> str:
    """Return a label for a record, without its length: that of signatures varies by a few bytes."""
    record = arrow.record
    parts = [arrow.sender.value, record.kind.value.replace("_", " ")]
    if record.kind is not Kind.UNREADABLE:
        parts += record.messages
    if arrow.fate is not Fate.PASSED:
        parts.append(f"({arrow.fate.value})")
    return " ".join(parts)


@dataclass(frozen=True)
class EventSequences:
    """The sequence of events on each end, and of records in each direction, as labels.

    ``wire`` has the client's records first, then the server's: the order between the two directions
    depends on timing.
    """

    server: tuple[str, ...]
    client: tuple[str, ...]
    wire: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace) -> EventSequences:
        """Return the sequences in ``trace``."""
        arrows = trace.arrows()

        def on_end(end: End) -> tuple[str, ...]:
            return tuple(label(event) for event in trace.marks(end) if _concerns_application(event))

        wire = tuple(wire_label(arrow) for end in End for arrow in arrows if arrow.sender is end)
        return cls(on_end(End.SERVER), on_end(End.CLIENT), wire)

    def as_json(self) -> dict[str, list[str]]:
        """Return the labels on each lifeline, as lists."""
        return {name: list(getattr(self, name)) for name in LIFELINES}


@dataclass(frozen=True)
class Outcome:
    """How a connection went on one end, as that end's application was told.

    ``text``: whether it became secure, and how it ended.  ``in_order``: whether the application was
    told of no failure; that can be wrong, as it is for a stack that does not report a truncation.
    """

    text: str
    in_order: bool

    @classmethod
    def of(cls, events: Sequence[Event]) -> Outcome:
        """Return the outcome that the events on an end amount to."""
        names = {event.name for event in events}
        secured = [name for name in SECURED if name in names]
        ours = [each for each in events if each.name in ("insecure", "closed")]
        if ours:
            cause = str(ours[-1].facts.get("cause", ""))
            return cls(", ".join([*secured, cause]), cause == Cause.CLEAN.value)
        others = [
            each
            for each in events
            if _concerns_application(each) and not each.name.startswith("warning")
        ]
        errors = [each for each in others if _exception_name(each)]
        last = (errors or others[-1:])[:1]
        text = ", ".join([*secured, *(label(each) for each in last)])
        return cls(text, not errors and _FAILURE.search(text) is None)


@dataclass
class Observation:
    """One cell of the event matrix and its traces, one for each repetition of the connection.

    ``stack`` is the implementation on the other end: ``tlsdemo``, ``openssl``, or a server program
    of another ecosystem.  ``reason`` says why there are no traces, where such a connection is not
    possible.
    """

    mode: str
    tls: str
    scenario: str
    stack: str
    reason: str = ""
    traces: list[Trace] = field(default_factory=list)

    @property
    def sequences(self) -> list[EventSequences]:
        """The different event sequences in the traces, in order of appearance."""
        return list(dict.fromkeys(EventSequences.of(trace) for trace in self.traces))

    @property
    def race(self) -> bool:
        """Whether the event sequences of the repetitions differ."""
        return len(self.sequences) > 1

    def outcome(self, end: End) -> Outcome:
        """Return the outcome on ``end``; an empty one without traces."""
        return Outcome.of(self.traces[0].marks(end) if self.traces else ())

    def as_json(self) -> dict[str, Any]:
        """Return the cell for JSON: its event sequences, and all of its first trace."""
        first, *others = self.sequences or [EventSequences((), (), ())]
        fields: dict[str, Any] = {
            "mode": self.mode,
            "tls": self.tls,
            "way": self.scenario,
            "peer": self.stack,
            "race": self.race,
            "why": self.reason,
            **first.as_json(),
            "also": [each.as_json() for each in others],
        }
        if self.traces:
            fields["trace"] = [fields_of(each) for each in self.traces[0].in_order()]
        return fields
