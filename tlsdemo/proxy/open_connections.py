"""The connections of a factory that are open, and waiting until none is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred

_C = TypeVar("_C")


class OpenConnections(Generic[_C]):
    """A collection of connections; iterating over it allows connections to end meanwhile."""

    def __init__(self) -> None:
        self._open: dict[_C, None] = {}
        self._waiting: list[Deferred[None]] = []

    def __iter__(self) -> Iterator[_C]:
        return iter(list(self._open))

    def add(self, connection: _C) -> None:
        """Include a connection that has been made."""
        self._open[connection] = None

    def remove(self, connection: _C) -> None:
        """Forget a connection that has ended."""
        del self._open[connection]
        if not self._open:
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                deferred.callback(None)

    def when_none(self) -> Deferred[None]:
        """Return a Deferred that fires when no connection is open."""
        deferred: Deferred[None] = Deferred()
        if self._open:
            self._waiting.append(deferred)
        else:
            deferred.callback(None)
        return deferred
