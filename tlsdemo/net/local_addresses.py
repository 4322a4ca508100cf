"""Our own end of outgoing connections: which addresses it can have, and how many ports."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""The first and the last port for outgoing connections, of IPv4 and IPv6 (ip(7))."""


def ephemeral_ports(where: Path = _PORT_RANGE) -> int | None:
    """Return how many ports an address has for outgoing connections; ``None`` if unknown.

    So many connections can be made from one address to one port of one address.
    """
    try:
        first, last = map(int, where.read_text().split())
    except (OSError, ValueError):
        return None
    return max(0, last - first + 1)


def not_ours(addresses: Iterable[str]) -> tuple[str, str] | None:
    """Return the first address from which no connection can be made, and why; ``None`` if none."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            with socket.socket(family) as tried:
                tried.bind((address, 0))
        except OSError as problem:
            return address, problem.strerror or str(problem)
    return None
