"""What the sequence diagrams of a connection say: the states at an event, and texts."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from tlsdemo.printable import printable
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event, Fact


class StateValue(enum.Enum):
    """Whether a state is true when an event happens."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class State:
    """A state: the fact of an event that holds it, its letter in a diagram, and its meaning."""

    fact: str
    letter: str
    meaning: str

    def value(self, event: Event) -> StateValue:
        """Return whether the state is true at ``event``."""
        if self.fact not in event.facts:
            return StateValue.UNKNOWN
        return StateValue.YES if event.facts[self.fact] else StateValue.NO


STATES: Sequence[State] = (
    State("peer", "P", "the peer's certificate is available"),
    State("alpn", "A", "ALPN is known"),
    State("flight", "F", "our last flight has been written"),
    State("write", "W", "a write would go out now"),
)
"""The states in a diagram, in their order."""


def states(event: Event) -> list[tuple[State, StateValue]]:
    """Return the value of each state at ``event``; empty if the event has none of them."""
    values = [(state, state.value(event)) for state in STATES]
    return values if any(value is not StateValue.UNKNOWN for _, value in values) else []


def fact_text(value: Fact) -> str:
    """Return the value of a fact as text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(format(value, "g") if isinstance(value, float) else str(value))


def duration(seconds: float) -> str:
    """Return ``seconds`` as text, with a suitable unit."""
    if seconds >= 1:
        return f"{seconds:,.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.0001 else f"{seconds * 1e6:.0f} µs"


def milliseconds(at: float) -> str:
    """Return ``at``, in seconds, as a number of milliseconds without the unit."""
    return f"{at * 1000:,.3f}"


def kind_name(record: Record) -> str:
    """Return the kind of a record as text."""
    return record.kind.value.replace("_", " ")


def content_text(record: Record) -> str:
    """Return the known content of a record; repeated messages appear once, with a count."""
    if record.kind is Kind.PLAIN:
        return f"“{printable(' '.join(record.messages))}”" if record.messages else ""
    runs: list[tuple[str, int]] = []
    for name in record.messages:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return ", ".join(
        printable(name) + ("" if times == 1 else f" ({times} times)") for name, times in runs
    )


def mark_sentence(mark: Mark) -> str:
    """Return an event and the states at it as a sentence, for screen readers."""
    parts = [f"{mark.end.value}: {printable(mark.event.name)}"]
    parts += [
        f"{state.meaning}: {value.value}"
        for state, value in states(mark.event)
        if value is not StateValue.UNKNOWN
    ]
    return "; ".join(parts)


def arrow_sentence(arrow: Arrow) -> str:
    """Return a record as a sentence, for screen readers."""
    record = arrow.record
    parts = [f"{arrow.sender.value} to {arrow.sender.other.value}"]
    if arrow.fate is not Fate.PASSED:
        parts.append(arrow.fate.value)
    # Plaintext and unreadable bytes are not records.
    noun = _NO_RECORDS.get(record.kind, f"{kind_name(record)} record")
    parts.append(f"encrypted {noun}" if record.encrypted else noun)
    parts.append("1 byte" if record.length == 1 else f"{record.length:,} bytes")
    content = content_text(record)
    return ", ".join(parts) + (f": {content}" if content else "")


_NO_RECORDS = {Kind.PLAIN: "plaintext", Kind.UNREADABLE: "unreadable bytes"}


def summary(trace: Trace) -> str:
    """Return the number of bytes, records and events of a trace, and its duration."""
    if not trace.seen:
        return "an empty trace"
    parts = []
    for end in End:
        sent = [arrow.record for arrow in trace.arrows() if arrow.sender is end]
        size = sum(record.length for record in sent)
        parts.append(f"{end.value} sent {size:,} B in {_count(len(sent), 'piece')}")
    parts.append(_count(sum(isinstance(each, Mark) for each in trace.seen), "event"))
    ordered = trace.in_order()
    return ", ".join(parts) + f", in {duration(ordered[-1].at - ordered[0].at)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
