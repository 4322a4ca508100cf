"""The query of a load client for what has arrived of its run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

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
    """

    def __init__(
        self,
        totals: Callable[[Iterable[str]], ConnectionTotals],
        report: Callable[[str, int, ConnectionTotals], object],
    ) -> None:
        self._totals = totals
        self._report = report
        self._so_far = ConnectionTotals()

    def __call__(self, query: dict[str, Any]) -> dict[str, Any]:
        """Return the answer; raises ValueError if the query is invalid."""
        name, sent, peers = (query.get(key) for key in ("name", "sent", "peers"))
        if not (
            isinstance(name, str)
            and type(sent) is int
            and 0 <= sent < _MAX_SENT
            and isinstance(peers, list)
            and len(peers) <= MAX_PEERS
            and all(isinstance(peer, str) and len(peer) <= _MAX_PEER for peer in peers)
        ):
            raise ValueError(
                f"a run has a name, a number of bytes sent below {_MAX_SENT} and a list of at most "
                f"{MAX_PEERS} peers"
            )
        totals = self._so_far + self._totals(peers)
        if query.get("more") is True:
            self._so_far = totals
        else:
            self._so_far = ConnectionTotals()
            self._report(name[:_MAX_NAME], sent, totals)
        return {"run": asdict(totals)}
