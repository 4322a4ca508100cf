"""The list of sampled connections, as pages show it."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred

from tlsdemo.trace.model import Trace

MOST_KEPT = 24
"""Connections that are kept; the oldest one is forgotten for a new one."""


class TraceUnavailable(Exception):
    """A trace cannot be had now; the text says why."""


class ListedConnection(NamedTuple):
    """A connection in the list.

    ``at`` is when it began in seconds since 1970, ``began`` the time of the day, ``state`` its last
    decisive event; ``seen`` tells whether its diagram has grown.
    """

    number: int
    peer: str
    began: str
    state: str
    seen: int
    at: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return self._asdict()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ListedConnection:
        """Read the result of :meth:`as_json`; raises KeyError or ValueError if it is none."""
        number, seen, at = (values[name] for name in ("number", "seen", "at"))
        peer, began, state = (str(values[name]) for name in ("peer", "began", "state"))
        return cls(int(number), peer, began, state, int(seen), float(at))


class ConnectionList(typing.Protocol):
    """The connections that are kept, be they of this process or of workers."""

    @property
    def changes(self) -> int:
        """A number that is another one when the list is another one."""

    def newest_first(self) -> Sequence[ListedConnection]:
        """Return the connections, not more than `MOST_KEPT`."""

    def trace(self, number: int) -> Deferred[Trace | None]:
        """Return the trace of a connection by its number, ``None`` if it is not kept.

        The Deferred fails with `TraceUnavailable` if it is kept, and cannot be had now.
        """
