"""Events on a connection, each with the time since the connection began."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tlsdemo.close_reasons import CloseReason


@dataclass(frozen=True)
class LazyText:
    """A fact whose text, that of ``value``, is made only when somebody reads it."""

    value: object

    def __str__(self) -> str:
        return str(self.value)


Fact = str | int | float | bool | None | LazyText


@dataclass(frozen=True)
class Event:
    """Something that happened on a connection: its name, when, and details.

    ``at`` is in seconds since the connection began, never negative with a monotonic clock.
    """

    name: str
    at: float
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        facts = "".join(f" {key}={value}" for key, value in self.facts.items())
        return f"+{self.at:.4f}s {self.name}{facts}"


CloseFacts = Callable[[str, CloseReason], Mapping[str, Fact]]
"""From the name of an event and its close reason to the facts that stand for the reason."""


def cause_and_detail(_name: str, reason: CloseReason) -> dict[str, Fact]:
    """Return the cause and the detail as two facts."""
    return {"cause": reason.cause.value, "detail": reason.detail}


def facts_of(name: str, values: Mapping[str, object], close_facts: CloseFacts) -> dict[str, Fact]:
    """Return the facts of an event, from what an observer was called with."""
    facts: dict[str, Fact] = {}
    for key, value in values.items():
        if isinstance(value, CloseReason):
            facts.update(close_facts(name, value))
        elif key == "info":
            facts["agreed"] = LazyText(value)
        elif isinstance(value, Fact):
            facts[key] = value
        else:
            facts[key] = str(value)
    return facts


class EventObserver:
    """An observer of a connection's steps: ``report`` is called with each event.

    ``clock`` is any callable that returns seconds.  The times are since this was made.
    """

    detailed = False

    def __init__(
        self,
        clock: Callable[[], float],
        report: Callable[[Event], object],
        close_facts: CloseFacts = cause_and_detail,
    ) -> None:
        self._clock = clock
        self._began = clock()
        self._report = report
        self._close_facts = close_facts

    def event(self, name: str, **facts: object) -> None:
        """Report an event that has happened now."""
        at = self._clock() - self._began
        self._report(Event(name, at, facts_of(name, facts, self._close_facts)))

    def detail(self, name: str, **facts: object) -> None:
        """Report nothing: never called."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Report nothing: never called."""

    def tls_created(self, connection: object) -> None:
        """Report nothing: never called."""
