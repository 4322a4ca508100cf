"""The query of a load client for what has arrived of its run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.proxy.connection_registry import ConnectionTotals

MAX_PEERS = 200
"""Maximum number of addresses in one query."""

_MAX_PEER = 80
"""Maximum number of characters of an address: an IPv6 address with zone and port has fewer."""

_MAX_NAME = 100
"""Maximum number of characters of a run's name; the rest is cut off."""

_MAX_SENT = 1 << 63
"""Bytes that a run cannot have sent."""


class RunQuery:
    """Answers ``{"ask": "run", "name": …, "sent": …, "peers": […]}``.

    ``peers`` has at most `MAX_PEERS` addresses.  For more, the query is sent several times on one
    connection, each time with other addresses, and with ``"more": true`` except the last time.
    Each answer is the totals so far, and only the last is passed to ``report``, with the name and
    the number of bytes sent.

    ``totals`` returns those of some addresses, or a Deferred, and so does the answer.
    """

    def __init__(
        self,
        totals: Callable[[Iterable[str]], ConnectionTotals | Deferred[ConnectionTotals]],
        report: Callable[[str, int, ConnectionTotals], object],
    ) -> None:
        self._totals = totals
        self._report = report
        self._so_far = ConnectionTotals()

    def __call__(self, query: dict[str, Any]) -> dict[str, Any] | Deferred[dict[str, Any]]:
        """Return the answer; raises ValueError if the query is invalid."""
        name, sent = query.get("name"), query.get("sent")
        if not (isinstance(name, str) and type(sent) is int and 0 <= sent < _MAX_SENT):
            raise ValueError(f"a run has a name, and a number of bytes sent below {_MAX_SENT}")
        found = self._totals(checked_peers(query.get("peers")))
        is_last = query.get("more") is not True
        if isinstance(found, Deferred):
            return found.addCallback(self._answer, name, sent, is_last)
        return self._answer(found, name, sent, is_last)

    def _answer(
        self, found: ConnectionTotals, name: str, sent: int, is_last: bool
    ) -> dict[str, Any]:
        totals = self._so_far + found
        if is_last:
            self._so_far = ConnectionTotals()
            self._report(name[:_MAX_NAME], sent, totals)
        else:
            self._so_far = totals
        return {"run": asdict(totals)}


def checked_peers(peers: Any) -> list[str]:
    """Return the addresses in a query; raises ValueError if they are not that, or too many."""
    if not (
        isinstance(peers, list)
        and len(peers) <= MAX_PEERS
        and all(isinstance(peer, str) and len(peer) <= _MAX_PEER for peer in peers)
    ):
        raise ValueError(f"peers are a list of at most {MAX_PEERS} addresses")
    return peers
