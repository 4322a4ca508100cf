"""The rows of the sequence diagram of one connection, independent of how they are drawn.

Client and server are two lifelines.  Events are marks on a lifeline, records are arrows between
the two.  Each has a row of its own, and time runs downwards.  A longer pause is a row as well.
OpenSSL's states in a row on one end share one, as they are many and seldom what one looks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tlsdemo.printable import printable
from tlsdemo.reporting.sequence_diagram import (
    STATES,
    arrow_sentence,
    duration,
    fact_text,
    mark_sentence,
)
from tlsdemo.trace.model import Arrow, End, Mark, Trace
from tlsdemo.trace.observation import STATE, label, wire_label
from tlsdemo.trace.timeline import Fact

GAP = 0.002
"""A pause of at least this many seconds gets a row of its own."""

SPACES = (0.00005, 0.0002, 0.0007)
"""Thresholds in seconds: two rows are one step further apart for each threshold between them."""


@dataclass(frozen=True)
class Step:
    """A row with a mark or an arrow; rows are numbered from 1.

    ``at`` is in seconds since the first row, as a trace may have begun long before it.  ``space``
    is the distance from the previous row, in steps from 0 to 3.  ``details`` are the facts of an
    event that are not states, and the value of a state if it is a text that has changed.
    ``waiting`` are the ends on which the handshake is complete, but the connection not yet secure.
    ``only_here``: whether the diagram beside this one lacks it.
    """

    number: int
    at: float
    seen: Mark | Arrow
    space: int
    details: tuple[str, ...] = ()
    waiting: frozenset[End] = frozenset()
    only_here: bool = False


@dataclass(frozen=True)
class Gap:
    """A row for a pause in which nothing happened."""

    seconds: float

    def __str__(self) -> str:
        return f"{duration(self.seconds)} later"


@dataclass(frozen=True)
class Fold:
    """A row for OpenSSL's states that follow each other on one end; ``names`` are the states'."""

    first: Step
    end: End
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.names)} OpenSSL state{'s' if len(self.names) > 1 else ''}"


Row = Step | Gap | Fold


def rows(trace: Trace, only_here: Collection[int] = ()) -> Iterator[Row]:
    """Return the rows of ``trace``, from the top; ``only_here`` has the numbers of such steps."""
    states_in_a_row: list[Step] = []
    for row in _steps(trace, only_here):
        end = _state_of(row)
        if states_in_a_row and end is not _state_of(states_in_a_row[0]):
            yield _folded(states_in_a_row)
            states_in_a_row = []
        if end is None or not isinstance(row, Step):
            yield row
        else:
            states_in_a_row.append(row)
    if states_in_a_row:
        yield _folded(states_in_a_row)


def _state_of(row: Step | Gap) -> End | None:
    """Return the end whose state of OpenSSL a row shows, if it does."""
    if isinstance(row, Step) and isinstance(row.seen, Mark) and row.seen.event.name == STATE:
        return row.seen.end
    return None


def _folded(steps: Sequence[Step]) -> Fold:
    marks = [step.seen for step in steps if isinstance(step.seen, Mark)]
    names = tuple(fact_text(mark.event.facts.get("state")) for mark in marks)
    return Fold(steps[0], marks[0].end, names)


def differences(traces: Sequence[Trace]) -> list[set[int]]:
    """Return for each trace the numbers of the steps that it has and another one lacks.

    The traces after the first are compared with it.  OpenSSL's states do not count.
    """
    found: list[set[int]] = [set() for _ in traces]
    for number, trace in enumerate(traces[1:], 1):
        for ours, theirs in zip(_labelled(traces[0]), _labelled(trace), strict=True):
            before, after = ([name for _, name in each] for each in (ours, theirs))
            matcher = SequenceMatcher(None, before, after, autojunk=False)
            for tag, begin, end, other_begin, other_end in matcher.get_opcodes():
                if tag != "equal":
                    found[0].update(step for step, _ in ours[begin:end])
                    found[number].update(step for step, _ in theirs[other_begin:other_end])
    return found


def _labelled(trace: Trace) -> list[list[tuple[int, str]]]:
    """Return the number and the label of each step: the events of each end, then its records."""
    lines: list[list[tuple[int, str]]] = [[], [], [], []]
    for number, seen in enumerate(trace.in_order(), 1):
        if isinstance(seen, Arrow):
            lines[2 + (seen.sender is End.SERVER)].append((number, wire_label(seen)))
        elif seen.event.name != STATE:
            lines[seen.end is End.SERVER].append((number, label(seen.event)))
    return lines


def _steps(trace: Trace, only_here: Collection[int]) -> Iterator[Step | Gap]:
    ordered = trace.in_order()
    first = before = ordered[0].at if ordered else 0.0
    completed: dict[End, float] = {}
    last_states: dict[tuple[End, str], Fact] = {}
    for number, seen in enumerate(ordered, 1):
        passed = seen.at - before
        before = seen.at
        if passed >= GAP:
            yield Gap(passed)
            passed = 0.0
        space = sum(passed >= least for least in SPACES)
        details = list(_details(seen, last_states))
        if isinstance(seen, Mark) and seen.event.name in _ENDS_WAITING:
            since = completed.pop(seen.end, None)
            if since is not None and seen.event.name == "secure":
                details.append(f"{duration(seen.at - since)} after handshakeCompleted")
        waiting = frozenset(completed)
        at = seen.at - first
        yield Step(number, at, seen, space, tuple(details), waiting, number in only_here)
        if isinstance(seen, Mark) and seen.event.name == "handshakeCompleted":
            completed[seen.end] = seen.at


_ENDS_WAITING = ("secure", "insecure", "closed", "connectionLost")


def _details(seen: Mark | Arrow, last_states: dict[tuple[End, str], Fact]) -> Iterator[str]:
    if isinstance(seen, Arrow):
        return
    for key, value in seen.event.facts.items():
        if key in _STATE_FACTS:
            before = last_states.get((seen.end, key))
            last_states[seen.end, key] = value
            if not isinstance(value, str) or value == before:
                continue
        if value != "":
            yield f"{printable(key)}={fact_text(value)}"


_STATE_FACTS = {state.fact for state in STATES}


def description(step: Step) -> str:
    """Return a row as a sentence, for screen readers."""
    if isinstance(step.seen, Mark):
        return "; ".join([mark_sentence(step.seen), *step.details])
    return arrow_sentence(step.seen)
