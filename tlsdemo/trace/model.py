"""A trace of one connection: events on both ends, and records on the wire between them."""

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
        """The opposite end."""
        return End.SERVER if self is End.CLIENT else End.CLIENT


class Fate(enum.Enum):
    """Whether a record was forwarded unchanged, dropped, or injected between the ends."""

    PASSED = "passed"
    DROPPED = "dropped"
    INJECTED = "injected"


@dataclass(frozen=True)
class Mark:
    """An event on the lifeline of one end."""

    end: End
    event: Event

    @property
    def at(self) -> float:
        """Seconds since the trace began."""
        return self.event.at


@dataclass(frozen=True)
class Arrow:
    """A record from ``sender`` to the other end; ``at`` is in seconds since the trace began."""

    sender: End
    at: float
    record: Record
    fate: Fate = Fate.PASSED


@dataclass
class Trace:
    """One connection: its title, its facts, and its marks and arrows in any order.

    The facts apply to the whole connection: mode, TLS version, scenario, versions of libraries.
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
        """Return all marks and arrows sorted by time; those with the same time keep their order."""
        return sorted(self.seen, key=lambda each: each.at)


# JSON Lines: one object in each line, so that a running server can append them as they happen.


def begin_line(number: int, title: str, facts: dict[str, Fact]) -> str:
    """Return the first line of connection ``number``."""
    return json.dumps({"connection": number, "begins": title, "facts": facts})


def fields_of(seen: Mark | Arrow) -> dict[str, Any]:
    """Return the fields of a mark or an arrow for JSON."""
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
    """Return the line for a mark or an arrow of connection ``number``."""
    if isinstance(seen, Arrow) and not seen.record.messages:
        return _line_without_messages(number, seen)
    return json.dumps({"connection": number, **fields_of(seen)})


def _line_without_messages(number: int, arrow: Arrow) -> str:
    """Return the line for a record with unknown content, as most are.

    ``json`` would take several times as long, and there is nothing to escape.
    """
    record = arrow.record
    return (
        f'{{"connection": {number}, "at": {arrow.at:.6f}, "from": "{arrow.sender.value}", '
        f'"record": "{record.kind.value}", "length": {record.length}, '
        f'"version": "{record.version}", "messages": [], '
        f'"encrypted": {"true" if record.encrypted else "false"}, "fate": "{arrow.fate.value}"}}'
    )


def lines_of(number: int, trace: Trace) -> Iterator[str]:
    """Return the lines of a complete trace."""
    yield begin_line(number, trace.title, trace.facts)
    for each in trace.in_order():
        yield line_of(number, each)


class NotATrace(Exception):
    """A line does not belong to a trace; the text names the line and the problem."""


def traces_from(lines: Iterable[str]) -> dict[int, Trace]:
    """Read traces, by the number of their connection; raises :class:`NotATrace`.

    If a number begins again, the file has another run appended to it.  Its connections are
    numbered from the highest number so far.
    """
    traces: dict[int, Trace] = {}
    numbers: dict[int, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = _object(number, line)
            connection = _whole(fields["connection"])
            if "begins" in fields:
                taken = connection in traces
                numbers[connection] = max(traces) + 1 if taken else connection
                begun = Trace(str(fields["begins"]), _facts(fields["facts"]))
                traces[numbers[connection]] = begun
            else:
                traces[numbers[connection]].seen.append(seen_from(fields))
        except KeyError as error:
            (name,) = error.args
            what = f"it has no {name!r}" if name in _FIELDS else f"connection {name} has not begun"
            raise _not_a_trace(number, line, what) from None
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise _not_a_trace(number, line, "its values are of another kind") from None
    return traces


_FIELDS = ("connection", "facts", "at", "end", "from", "record", "length", "version", "messages",
           "encrypted", "fate")  # fmt: skip


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        # The record separator (RFC 7464).
        if line.startswith("\x1e"):
            raise _not_a_trace(number, line, "it is qlog; write the trace without --trace-format")
        raise _not_a_trace(number, line, "it is no object of JSON")
    return fields


def _not_a_trace(number: int, line: str, problem: str) -> NotATrace:
    return NotATrace(f"line {number} does not belong to a trace: {problem}: {line[:60]!r}")


def seen_from(fields: dict[str, Any]) -> Mark | Arrow:
    """Return the mark or arrow with these fields.

    Raises KeyError, ValueError, TypeError or OverflowError.
    """
    at = float(fields["at"])
    if "event" in fields:
        return Mark(End(fields["end"]), Event(str(fields["event"]), at, _facts(fields["facts"])))
    record = Record(
        Kind(fields["record"]),
        _whole(fields["length"]),
        str(fields["version"]),
        tuple(str(each) for each in fields["messages"]),
        bool(fields["encrypted"]),
    )
    return Arrow(End(fields["from"]), at, record, Fate(fields["fate"]))


def _whole(value: Any) -> int:
    number = int(value)
    if not 0 <= number < 1 << 63:
        raise ValueError("a number out of range")
    return number


def _facts(values: Any) -> dict[str, Fact]:
    facts = dict(values)
    for key, value in facts.items():
        if not (isinstance(key, str) and isinstance(value, str | int | float | None)):
            raise TypeError("a fact that is no text or number")
    return facts
