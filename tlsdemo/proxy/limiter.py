"""Limits on the number of open connections, in all and for each client address."""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import lru_cache

USUAL_LIMIT = 20_000
"""The default limit for all connections, if there are file descriptors for them."""

USUAL_LIMIT_PER_HOST = 1000
"""The default limit for one host, unless it is this machine: many clients may be behind one NAT."""


class ConnectionLimiter:
    """Counts the open connections; a limit of 0 allows any number.

    ``limit`` is for all connections, and ``limit_per_host`` for those from one host; ``None`` is
    `USUAL_LIMIT_PER_HOST`, but no limit for loopback addresses and UNIX sockets: a balancer or a
    load client on this machine.  All clients of a UNIX socket count as one host, and so do all
    addresses of a /64 network of IPv6, among which a client can choose.  A host may be ``None`` as
    long as it is not known: that counts for ``limit`` only.
    """

    def __init__(self, limit: int = 0, limit_per_host: int | None = 0) -> None:
        self._limit = limit
        self._limit_per_host = limit_per_host
        self._by_host: Counter[str] = Counter()
        self._total = 0

    def problem(self, host: str | None) -> str | None:
        """Return why one more connection from ``host`` is not allowed, or ``None`` if it is."""
        if self._limit and self._total >= self._limit:
            return f"there are {self._total} already, the limit of --max-connections"
        if host is None:
            return None
        (origin, is_here), limit = _origin(host), self._limit_per_host
        if limit is None:
            limit = 0 if is_here else USUAL_LIMIT_PER_HOST
        if limit and self._by_host[origin] >= limit:
            number = self._by_host[origin]
            return f"there are {number} already from there, the limit of --max-per-address"
        return None

    def add(self, host: str | None) -> None:
        """Count a connection from ``host`` that has been accepted."""
        self._total += 1
        if host is not None:
            self._by_host[_origin(host)[0]] += 1

    def remove(self, host: str | None) -> None:
        """Count a connection from ``host`` that has ended; hosts without any are forgotten."""
        self._total -= 1
        if host is not None:
            origin, _ = _origin(host)
            self._by_host[origin] -= 1
            if not self._by_host[origin]:
                del self._by_host[origin]


@lru_cache(maxsize=1 << 12)
def _origin(host: str) -> tuple[str, bool]:
    """Return what ``host`` counts as, and whether that is this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # The clients of a UNIX socket have no address.
        return host, not host
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, ipaddress.IPv6Address) and not address.is_loopback:
        return str(ipaddress.IPv6Network((int(address), 64), strict=False)), False
    return str(address), address.is_loopback
