"""A connection's events in order, each with the time since the connection began."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Later:
    """A fact whose words, those of ``value``, are found only when somebody reads them."""

    value: object

    def __str__(self) -> str:
        return str(self.value)


Fact = str | int | float | bool | None | Later


@dataclass(frozen=True)
class Event:
    """One fact about a connection: what happened, how long after its beginning, and details.

    ``at`` is in seconds since the timeline was begun, never negative with a monotonic clock.
    """

    name: str
    at: float
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        facts = "".join(f" {key}={value}" for key, value in self.facts.items())
        return f"+{self.at:.4f}s {self.name}{facts}"


Observer = Callable[[Event], object]


class Timeline:
    """Records events against a clock that is handed in (any callable that returns seconds).

    An observer, if there is one, is told of each event as it is recorded.
    """

    __slots__ = ("_began", "_clock", "_events", "_observer")

    def __init__(self, clock: Callable[[], float], observer: Observer | None = None) -> None:
        self._clock = clock
        self._observer = observer
        self._began = clock()
        self._events: list[Event] = []

    def record(self, name: str, **facts: Fact) -> None:
        """Note that ``name`` has happened now."""
        event = Event(name, self._clock() - self._began, facts)
        self._events.append(event)
        if self._observer is not None:
            self._observer(event)

    def names(self) -> list[str]:
        """Return the names of the events so far, in order."""
        return [event.name for event in self._events]

    def age(self) -> float:
        """Return the seconds since the timeline was begun."""
        return self._clock() - self._began

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)
