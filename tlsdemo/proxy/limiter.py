"""Limits on the number of open connections, in all and for each client address."""

from __future__ import annotations

import ipaddress
from collections import Counter

USUAL_LIMIT = 20_000
"""The default limit for all connections, if there are file descriptors for them."""

USUAL_LIMIT_PER_HOST = 1000
"""The default limit for one host, unless it is this machine: many clients may be behind one NAT."""


class ConnectionLimiter:
    """Counts the open connections; a limit of 0 allows any number.

    ``limit`` is for all connections, and ``limit_per_host`` for those from one host; ``None`` is
    `USUAL_LIMIT_PER_HOST`, but no limit for loopback addresses and UNIX sockets: a balancer or a
    load client on this machine.  All clients of a UNIX socket count as one host.
    """

    def __init__(self, limit: int = 0, limit_per_host: int | None = 0) -> None:
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._by_host: Counter[str] = Counter()
        self._total = 0

    def problem(self, host: str) -> str | None:
        """Return why one more connection from ``host`` is not allowed, or ``None`` if it is."""
        if self._limit and self._total >= self._limit:
            return f"there are {self._total} already"
        limit = self._limit_per_host
        if limit is None:
            limit = 0 if _is_here(host) else USUAL_LIMIT_PER_HOST
        if limit and self._by_host[host] >= limit:
            return f"there are {self._by_host[host]} already from there"
        return None

    def add(self, host: str) -> None:
        """Count a connection from ``host`` that has been accepted."""
        self._total += 1
        self._by_host[host] += 1

    def remove(self, host: str) -> None:
        """Count a connection from ``host`` that has ended; hosts without any are forgotten."""
        self._total -= 1
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]


def _is_here(host: str) -> bool:
    """Return whether ``host`` is a loopback address, or a UNIX socket's client."""
    try:
        return not host or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
