"""The arithmetic of a load: who opens how many connections, when, and what that takes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SPARE_DESCRIPTORS = 32
"""What a worker has open beside its connections: pipes, the reactor's own, libraries."""


@dataclass(frozen=True)
class Task:
    """What one worker is to do; every worker is told the same but for ``connections``.

    ``connect``: a client endpoint string.  ``mode``, ``send`` and ``dialect``: names.
    ``packet_size``: bytes.
    ``packets``: how many each connection sends, or 0 to send until told to stop.  ``burst``: how
    many it writes in a row before it is another's turn.  ``rate``: connections a second, 0 for as
    fast as may be.  ``in_flight``: how many may be connecting or securing at once.

    ``timeout``: seconds from beginning to connect until secure, and that the server may take to
    drain.  ``plain_timeout``: for the words before TLS.  ``handshake_timeout``: for a handshake.
    ``idle_timeout``: without a byte in either direction once it is to send.  ``closing_timeout``:
    from our goodbye until the end.  0 for any time, except ``timeout``.

    ``certificate``, ``key``, ``authority``: PEM files.  ``tls_min``, ``tls_max``: versions;
    ``ciphers``: an OpenSSL cipher list, empty for the usual.
    """

    connections: int
    connect: str
    server_name: str
    mode: str
    send: str
    packet_size: int
    packets: int
    burst: int
    rate: float
    in_flight: int
    timeout: float
    certificate: str
    key: str
    authority: str
    dialect: str = "immediate"
    tls_min: str = "1.2"
    tls_max: str = "1.3"
    ciphers: str = ""
    plain_timeout: float = 60.0
    handshake_timeout: float = 60.0
    idle_timeout: float = 600.0
    closing_timeout: float = 60.0

    def as_json(self) -> dict[str, Any]:
        """Return plain values that JSON can carry."""
        return asdict(self)


def split(connections: int, workers: int) -> list[int]:
    """Divide connections among workers as evenly as can be; none is left without.

    >>> split(10, 4)
    [3, 3, 2, 2]
    """
    workers = max(1, min(workers, connections))
    least, over = divmod(connections, workers)
    return [least + (index < over) for index in range(workers)]


def default_workers(cpus: int) -> int:
    """Leave one CPU to the server, and use at least one."""
    return max(1, cpus - 1)


def descriptors_needed(connections: int, workers: int) -> int:
    """Return how many descriptors the busiest worker needs."""
    return max(split(connections, workers)) + SPARE_DESCRIPTORS


def workers_needed(connections: int, limit: int) -> int | None:
    """Return the fewest workers that fit under ``limit`` descriptors each; ``None`` if none do."""
    each = limit - SPARE_DESCRIPTORS
    return -(-connections // each) if each > 0 else None


def allowed(rate: float, elapsed: float, connections: int) -> int:
    """Return how many connections may have been begun after ``elapsed`` seconds."""
    return connections if rate <= 0 else min(connections, 1 + int(rate * elapsed))


def until_next(rate: float, elapsed: float) -> float:
    """Return the seconds until one more may be begun, at a ``rate`` above 0."""
    return max(0.0, (1 + int(rate * elapsed)) / rate - elapsed)
