"""The sampled connections of several worker processes, in one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.trace.model import Trace
from tlsdemo.web.connection_list import MOST_KEPT, ListedConnection


class WorkersConnections:
    """The last sampled connections of all workers, as these have told them.

    Those of a worker that ends are forgotten.  ``ask_trace`` asks a worker, by its index, for the
    trace of a connection.
    """

    def __init__(self, ask_trace: Callable[[int, int], Deferred[Trace | None]]) -> None:
        self._ask_trace = ask_trace
        self._told: dict[int, list[ListedConnection]] = {}
        self._changes_of: dict[int, object] = {}
        self._newest: list[ListedConnection] = []
        self.changes = 0

    def changes_of(self, index: int) -> object:
        """Return by what number a worker called the list that it has told last."""
        return self._changes_of.get(index)

    def told(self, index: int, answer: Mapping[str, Any]) -> None:
        """Take the list of a worker, if the answer has one."""
        if "connections" in answer:
            self._told[index] = [ListedConnection.from_json(each) for each in answer["connections"]]
            self._changes_of[index] = answer["changes"]
            self._changed()

    def forget(self, index: int) -> None:
        """Forget the connections of a worker that has ended."""
        self._changes_of.pop(index, None)
        if self._told.pop(index, None):
            self._changed()

    def _changed(self) -> None:
        every = [each for told in self._told.values() for each in told]
        self._newest = sorted(every, key=lambda each: each.at, reverse=True)[:MOST_KEPT]
        self.changes += 1

    def newest_first(self) -> Sequence[ListedConnection]:
        """Return the last ones of all workers."""
        return self._newest

    async def _find(self, number: int) -> Trace | None:
        for index, told in self._told.items():
            if any(each.number == number for each in told):
                return await self._ask_trace(index, number)
        return None

    def trace(self, number: int) -> Deferred[Trace | None]:
        """Return the trace of a connection by its number, ``None`` if it is not kept."""
        return Deferred.fromCoroutine(self._find(number))
