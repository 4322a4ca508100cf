"""Events on a connection, each with the time since the connection began."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tlsdemo.close_reasons import CloseReason


@dataclass(frozen=True)
class LazyText:
    """A fact whose text, ``str(value)``, is made only when it is needed."""

    value: object

    def __str__(self) -> str:
        return str(self.value)


class ToldText(str):
    """The text of a fact that remembers its ``source``, for what needs more than the text."""

    source: object

    @classmethod
    def of(cls, source: object) -> ToldText:
        """Return the text of ``source``."""
        text = cls(source)
        text.source = source
        return text


Fact = str | int | float | bool | None | LazyText


@dataclass(frozen=True)
class Event:
    """Something that happened on a connection.

    ``at`` is in seconds since the connection began.  ``facts`` are details by name.
    """

    name: str
    at: float
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        facts = "".join(f" {key}={value}" for key, value in self.facts.items())
        return f"+{self.at:.4f}s {self.name}{facts}"


CloseFacts = Callable[[str, CloseReason], Mapping[str, Fact]]
"""A function from an event's name and close reason to the facts that describe the reason."""


def cause_and_detail(_name: str, reason: CloseReason) -> dict[str, Fact]:
    """Return the cause and the detail as two facts."""
    return {"cause": reason.cause.value, "detail": reason.detail}


def facts_of(name: str, values: Mapping[str, object], close_facts: CloseFacts) -> dict[str, Fact]:
    """Return the facts of an event, from the arguments of an observer's call."""
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
    """An observer that calls ``report`` with each event, without details.

    ``clock`` returns seconds; the events' times count from when this was made.
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
        """Do nothing: never called."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Do nothing: never called."""

    def tls_created(self, connection: object) -> None:
        """Do nothing: never called."""
