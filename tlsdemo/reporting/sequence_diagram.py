"""One connection as a waterfall: what is in its rows, whatever draws them.

Two lifelines, client and server; events are marks on them and records are arrows between them, one
row each, time downwards.  Where nothing happened for a while there is a row that says how long.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event, Fact

GAP = 0.002
"""Seconds without anything from which on they get a row of their own."""

SPACES = (0.00005, 0.0002, 0.0007)
"""Seconds between two rows: with each of these that is reached, they are a step further apart."""


@dataclass(frozen=True)
class Step:
    """A row with something that was seen; rows are counted from 1.

    ``space`` is how far it is from the row before, in steps from 0 to 3.  ``details`` are the facts
    of an event other than its states; of a state more than that it is so, where that is new.
    """

    number: int
    seen: Mark | Arrow
    space: int
    details: tuple[str, ...] = ()

    @property
    def at(self) -> float:
        """Seconds since the trace began."""
        return self.seen.at


@dataclass(frozen=True)
class Gap:
    """A row that stands for time in which nothing was seen."""

    seconds: float

    def __str__(self) -> str:
        return f"{duration(self.seconds)} later"


def rows(trace: Trace) -> Iterator[Step | Gap]:
    """Return the rows of ``trace``, from the top."""
    before = 0.0
    told: dict[tuple[End, str], Fact] = {}
    for number, seen in enumerate(trace.in_order(), 1):
        passed = seen.at - before
        before = seen.at
        if number == 1:
            passed = 0.0
        if passed >= GAP:
            yield Gap(passed)
            passed = 0.0
        space = sum(passed >= least for least in SPACES)
        yield Step(number, seen, space, tuple(_details(seen, told)))


def _details(seen: Mark | Arrow, told: dict[tuple[End, str], Fact]) -> Iterator[str]:
    if isinstance(seen, Arrow):
        return
    for key, value in seen.event.facts.items():
        if key in _STATE_FACTS:
            before = told.get((seen.end, key))
            told[seen.end, key] = value
            if not isinstance(value, str) or value in ("", before):
                continue
        yield f"{printable(key)}={written(value)}"


# What is known at an event.


class Known(enum.Enum):
    """Whether something is so at the moment of an event."""

    YES = "yes"
    NO = "no"
    UNTOLD = "not told"


@dataclass(frozen=True)
class State:
    """Something that is so or not yet so: the fact that tells it, its letter, and what it means."""

    fact: str
    letter: str
    meaning: str

    def known(self, event: Event) -> Known:
        """Return whether it is so at ``event``."""
        if self.fact not in event.facts:
            return Known.UNTOLD
        return Known.YES if event.facts[self.fact] else Known.NO


STATES: Sequence[State] = (
    State("peer", "P", "the peer's certificate is there"),
    State("alpn", "A", "ALPN is known"),
    State("flight", "F", "our last flight has been written"),
    State("write", "W", "a write would go out now"),
)
"""The states that are shown at each event that tells any of them."""

_STATE_FACTS = {state.fact for state in STATES}


def states(event: Event) -> list[tuple[State, Known]]:
    """Return all states at ``event``; nothing, if it tells of none of them."""
    known = [(state, state.known(event)) for state in STATES]
    return known if any(how is not Known.UNTOLD for _, how in known) else []


# In words.


def printable(text: str) -> str:
    """Return ``text`` with all that would not show, or would do something, escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def written(value: Fact) -> str:
    """Return how the value of a fact is written."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(format(value, "g") if isinstance(value, float) else str(value))


def duration(seconds: float) -> str:
    """Return ``seconds`` with a unit that fits."""
    if seconds >= 1:
        return f"{seconds:,.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.0001 else f"{seconds * 1e6:.0f} µs"


def moment(at: float) -> str:
    """Return a time since the trace began, in milliseconds, without the unit."""
    return f"{at * 1000:,.3f}"


def kind_name(record: Record) -> str:
    """Return what kind of record it is, in words."""
    return record.kind.value.replace("_", " ")


def messages(record: Record) -> str:
    """Return what is known of a record's content; of the same thing several times, how often."""
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


def sentence(step: Step) -> str:
    """Return all that a row tells, as a sentence to be read aloud."""
    if isinstance(step.seen, Mark):
        return "; ".join([_mark_sentence(step.seen), *step.details])
    return _arrow_sentence(step.seen)


def _mark_sentence(mark: Mark) -> str:
    parts = [f"{mark.end.value}: {printable(mark.event.name)}"]
    told = [(state, how) for state, how in states(mark.event) if how is not Known.UNTOLD]
    parts += [f"{state.meaning}: {how.value}" for state, how in told]
    return "; ".join(parts)


def _arrow_sentence(arrow: Arrow) -> str:
    record = arrow.record
    parts = [f"{arrow.sender.value} to {arrow.sender.other.value}"]
    if arrow.fate is not Fate.PASSED:
        parts.append(arrow.fate.value)
    # What is no record is told by its name alone: plain words, unreadable bytes.
    noun = _NO_RECORDS.get(record.kind, f"{kind_name(record)} record")
    parts.append(f"encrypted {noun}" if record.encrypted else noun)
    parts.append("1 byte" if record.length == 1 else f"{record.length:,} bytes")
    content = messages(record)
    return ", ".join(parts) + (f": {content}" if content else "")


_NO_RECORDS = {Kind.PLAIN: "plain words", Kind.UNREADABLE: "unreadable bytes"}


def summary(trace: Trace) -> str:
    """Return how much was seen, in how much time."""
    if not trace.seen:
        return "nothing was seen"
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
