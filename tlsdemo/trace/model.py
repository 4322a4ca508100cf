"""What was seen of one connection: events on its two ends, and records on the wire between them."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event, Fact


class End(enum.Enum):
    """The two ends of a connection."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> End:
        """The end that this one talks to."""
        return End.SERVER if self is End.CLIENT else End.CLIENT


class Fate(enum.Enum):
    """What became of a record between the ends."""

    PASSED = "passed"
    DROPPED = "dropped"
    INJECTED = "injected"


@dataclass(frozen=True)
class Mark:
    """An event on one end's lifeline."""

    end: End
    event: Event

    @property
    def at(self) -> float:
        """Seconds since the trace began."""
        return self.event.at


@dataclass(frozen=True)
class Arrow:
    """A record on its way from ``sender``; ``at`` is in seconds since the trace began."""

    sender: End
    at: float
    record: Record
    fate: Fate = Fate.PASSED


@dataclass
class Trace:
    """One connection: a title, facts that hold for all of it, and what was seen, in any order.

    The facts name what it was a trace of: mode, TLS version, way, versions of the libraries.
    """

    title: str
    facts: dict[str, Fact] = field(default_factory=dict)
    seen: list[Mark | Arrow] = field(default_factory=list)

    def marks(self, end: End) -> list[Event]:
        """Return the events on one end, in order."""
        return [
            each.event for each in self.in_order() if isinstance(each, Mark) and each.end is end
        ]

    def arrows(self) -> list[Arrow]:
        """Return the records of both directions, in order."""
        return [each for each in self.in_order() if isinstance(each, Arrow)]

    def in_order(self) -> list[Mark | Arrow]:
        """Return all that was seen, by time; what has the same time, as it was seen."""
        return sorted(self.seen, key=lambda each: each.at)


# As JSON lines: one object a line, so that a running server can write them as they happen.


def begin_line(number: int, title: str, facts: dict[str, Fact]) -> str:
    """Return the line that begins connection ``number``."""
    return json.dumps({"connection": number, "begins": title, "facts": facts})


def fields_of(seen: Mark | Arrow) -> dict[str, Any]:
    """Return one thing seen as the fields of a JSON object."""
    fields: dict[str, Any] = {"at": round(seen.at, 6)}
    if isinstance(seen, Mark):
        facts = dict(seen.event.facts)
        return {**fields, "end": seen.end.value, "event": seen.event.name, "facts": facts}
    record = seen.record
    return {
        **fields,
        "from": seen.sender.value,
        "record": record.kind.value,
        "length": record.length,
        "version": record.version,
        "messages": list(record.messages),
        "encrypted": record.encrypted,
        "fate": seen.fate.value,
    }


def line_of(number: int, seen: Mark | Arrow) -> str:
    """Return the line for one thing seen of connection ``number``."""
    if isinstance(seen, Arrow) and not seen.record.messages:
        return _plain_line(number, seen)
    return json.dumps({"connection": number, **fields_of(seen)})


def _plain_line(number: int, arrow: Arrow) -> str:
    """Return the line for a record whose content is not known: most are, and they are many.

    To have ``json`` write it would take several times as long; nothing in it has to be escaped.
    """
    record = arrow.record
    return (
        f'{{"connection": {number}, "at": {arrow.at:.6f}, "from": "{arrow.sender.value}", '
        f'"record": "{record.kind.value}", "length": {record.length}, '
        f'"version": "{record.version}", "messages": [], '
        f'"encrypted": {"true" if record.encrypted else "false"}, "fate": "{arrow.fate.value}"}}'
    )


def lines_of(number: int, trace: Trace) -> Iterator[str]:
    """Return the lines of a whole trace."""
    yield begin_line(number, trace.title, trace.facts)
    for each in trace.in_order():
        yield line_of(number, each)


class NotATrace(Exception):
    """A line is none of a trace; the text is one line that says which and why."""


def traces_from(lines: Iterable[str]) -> dict[int, Trace]:
    """Read traces by the number of their connection; raises :class:`NotATrace`.

    A number that begins again is another run's, appended to the same file: it goes on from the
    highest so far.
    """
    traces: dict[int, Trace] = {}
    numbers: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            connection = int(fields["connection"])
            if "begins" in fields:
                taken = connection in traces
                numbers[connection] = max(traces) + 1 if taken else connection
                begun = Trace(str(fields["begins"]), dict(fields["facts"]))
                traces[numbers[connection]] = begun
            else:
                traces[numbers[connection]].seen.append(seen_from(fields))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotATrace(
                f"line {number} is not of a trace: {error!r} in {line[:60]!r}"
            ) from None
    return traces


def seen_from(fields: dict[str, Any]) -> Mark | Arrow:
    """Return what fields tell; raises KeyError, ValueError or TypeError if that is nothing."""
    at = float(fields["at"])
    if "event" in fields:
        return Mark(End(fields["end"]), Event(str(fields["event"]), at, dict(fields["facts"])))
    record = Record(
        Kind(fields["record"]),
        int(fields["length"]),
        str(fields["version"]),
        tuple(str(each) for each in fields["messages"]),
        bool(fields["encrypted"]),
    )
    return Arrow(End(fields["from"]), at, record, Fate(fields["fate"]))
