"""Limits on the number of open connections, in all and for each client address."""

from __future__ import annotations

from collections import Counter


class ConnectionLimiter:
    """Counts the open connections; a limit of 0 allows any number.

    ``limit`` is for all connections, and ``limit_per_host`` for those from one host.  All clients
    of a UNIX socket count as one host.
    """

    def __init__(self, limit: int = 0, limit_per_host: int = 0) -> None:
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._by_host: Counter[str] = Counter()
        self._total = 0

    def problem(self, host: str) -> str | None:
        """Return why one more connection from ``host`` is not allowed, or ``None`` if it is."""
        if self._limit and self._total >= self._limit:
            return f"there are {self._total} already"
        if self._limit_per_host and self._by_host[host] >= self._limit_per_host:
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
