"""How many connections are let in at once, in all and from one address."""

from __future__ import annotations

from collections import Counter


class ConnectionLimiter:
    """Counts who is in; 0 lets in any number.

    ``most``: connections in all.  ``most_of_one``: from the same host, which for a UNIX socket is
    everybody.
    """

    def __init__(self, most: int = 0, most_of_one: int = 0) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._inside: Counter[str] = Counter()
        self._all = 0

    def full_for(self, host: str) -> str | None:
        """Return why one more from ``host`` cannot come in, or ``None`` if it can."""
        if self._most and self._all >= self._most:
            return f"there are {self._all} already"
        if self._most_of_one and self._inside[host] >= self._most_of_one:
            return f"there are {self._inside[host]} already from there"
        return None

    def enter(self, host: str) -> None:
        """Count one in."""
        self._all += 1
        self._inside[host] += 1

    def leave(self, host: str) -> None:
        """Count one out, and forget a host that has none left."""
        self._all -= 1
        self._inside[host] -= 1
        if not self._inside[host]:
            del self._inside[host]
