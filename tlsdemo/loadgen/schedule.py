"""The arithmetic of a load: how many connections each worker opens, and when; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tlsdemo.starttls.names import DEFAULT_NAMES
from tlsdemo.starttls.negotiation import MAX_PLAIN

SPARE_DESCRIPTORS = 32
"""File descriptors of a worker other than its connections: pipes, the reactor, libraries."""

PIPES = 3
"""File descriptors that a worker takes of the process that starts it."""

SLACK = 30.0
"""Seconds beyond the timeouts of its connections that a worker may take to get on."""


MOST_PREFILLED = 1 << 30
"""Bytes that a load may encrypt before it begins, in all; they are kept in memory."""

_RECORD = 1 << 14
_OVERHEAD = 22
"""Bytes of a record, of at most 16 KiB, besides its cleartext (RFC 8446, section 5.2)."""


@dataclass(frozen=True)
class Task:
    """One part of the work of one worker.

    ``scenario``: the name of what the connections do.  ``connections``: how many are open at a
    time, at most.  ``index`` and ``of``: which of the workers has this task.

    ``connect``: a client endpoint string.  ``mode``, ``send`` and ``dialect``: names.
    ``packet_size``: bytes.  ``packets``: number that each connection sends, or 0 to send until it
    is told to finish.  ``burst``: packets that a connection writes before the next one does.
    ``rate``: connections opened per second, 0 for no limit.  ``in_flight``: connections that may be
    connecting or negotiating at the same time.

    The timeouts are in seconds; 0 means none, except for ``timeout``.  ``timeout``: until a
    connection is secure, and until the server has drained.  ``plain_timeout``: for the negotiation
    before TLS.  ``handshake_timeout``: for the handshake.  ``idle_timeout``: without a byte in
    either direction while sending.  ``closing_timeout``: from our close_notify to the end.

    ``certificate``, ``key``, ``authority``: files; ``passphrase``: of the key, if any.
    ``tls_min``, ``tls_max``: versions.  ``ciphers``, ``groups``: OpenSSL lists, empty for the
    default.  ``helo_name``: what SMTP clients call themselves; an XMPP client asks for
    ``server_name``.  ``max_line``, ``max_plain``: limits in bytes of what the server sends before
    TLS; ``max_line`` is 0 for that of the dialect.

    ``pipeline``: messages without an answer that a connection may have.  ``trickle``: seconds
    between two bytes on an idle connection, 0 for none.  ``resume``: whether connections resume the
    session of an earlier one.  ``say``, ``expect``: each message, and how the line that answers it
    begins; empty for messages that the server echoes.  Their characters are bytes (ISO 8859-1).
    ``sources``: our addresses with commas, which connections have in turn; empty for the system's
    choice.
    ``prefill``: whether the packets are encrypted before the load begins.
    ``work_rate``: units of work that are due per second, of all workers, where windows have none.
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
    groups: str = ""
    passphrase: str = field(default="", repr=False)
    plain_timeout: float = 60.0
    handshake_timeout: float = 60.0
    idle_timeout: float = 600.0
    closing_timeout: float = 60.0
    helo_name: str = DEFAULT_NAMES.own
    max_line: int = 0
    max_plain: int = MAX_PLAIN
    scenario: str = "stream"
    pipeline: int = 1
    trickle: float = 0.0
    resume: bool = False
    say: str = ""
    expect: str = ""
    work_rate: float = 0.0
    sources: str = ""
    prefill: bool = False
    index: int = 0
    of: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def split(connections: int, workers: int) -> list[int]:
    """Divide connections among workers as evenly as possible; every worker gets at least one.

    >>> split(10, 4)
    [3, 3, 2, 2]
    """
    workers = max(1, min(workers, connections))
    least, over = divmod(connections, workers)
    return [least + (index < over) for index in range(workers)]


def shares(parts: Sequence[Task], workers: int) -> list[list[Task]]:
    """Divide the parts of a load among workers: return the tasks of each worker that has any.

    The parts may be those of a shard, which are shares themselves.
    """
    of_workers: list[list[Task]] = [[] for _ in range(workers)]
    for part in parts:
        counts = split(part.connections, workers)
        for index, count in enumerate(counts):
            task = replace(
                part,
                connections=count,
                rate=part.rate * count / part.connections,
                index=part.index + part.of * index,
                of=part.of * len(counts),
            )
            of_workers[index].append(task)
    return [tasks for tasks in of_workers if tasks]


def longest_standstill(parts: Sequence[Task], opening: bool) -> float | None:
    """Return the seconds in which something has to happen while connections open, or else end.

    ``None`` if they may wait for ever.  Beyond the timeouts of the connections, a worker has
    `SLACK` seconds to carry them out and to report.
    """
    if opening:
        return SLACK + max(part.timeout + (1 / part.rate if part.rate else 0) for part in parts)
    longest = [each for part in parts for each in (part.idle_timeout, part.closing_timeout)]
    return None if 0 in longest else SLACK + max(*longest, *(part.timeout for part in parts))


def default_workers(cpus: int) -> int:
    """Return one worker for each CPU but one, which is left to the server; at least one."""
    return max(1, cpus - 1)


def descriptors_needed(connections: int, workers: int) -> int:
    """Return the number of file descriptors of the worker that needs most."""
    return max(split(connections, workers)) + SPARE_DESCRIPTORS


def descriptors_to_control(workers: int) -> int:
    """Return the number of file descriptors of the process that starts so many workers."""
    return workers * PIPES + SPARE_DESCRIPTORS


def workers_needed(connections: int, limit: int) -> int | None:
    """Return the least number of workers of which none exceeds ``limit``.

    ``None`` if there is none, or the process that starts them would exceed it.
    """
    each = limit - SPARE_DESCRIPTORS
    if each <= 0:
        return None
    workers = -(-connections // each)
    return workers if descriptors_to_control(workers) <= limit else None


def prefilled(connections: int, packets: int, size: int) -> int:
    """Return the bytes of a load that is encrypted before it begins."""
    return connections * packets * (size + -(-size // _RECORD) * _OVERHEAD)


def addresses_needed(connections: int, ports: int) -> int | None:
    """Return how many source addresses of so many ``ports`` are needed; None if there are none."""
    return -(-connections // ports) if ports > 0 else None


def allowed(rate: float, elapsed: float, connections: int) -> int:
    """Return how many connections may have been started after ``elapsed`` seconds."""
    return connections if rate <= 0 else min(connections, 1 + int(rate * elapsed))


def until_next(rate: float, elapsed: float) -> float:
    """Return the seconds until the next connection may be started; ``rate`` must be above 0."""
    return max(0.0, (1 + int(rate * elapsed)) / rate - elapsed)
