"""Records: the CPU of a saturated proxy for each, by their size and the number of connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from bench.load.connection import Connection
from bench.load.stream import blast
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import Server

NAME = "records"
MEGABYTE = 1_000_000


def case_of(connections: int, size: int) -> str:
    """Return the name of a case."""
    return f"{connections:,} of {size:,} B"


def records_each(plan: Plan, connections: int, size: int) -> int:
    """Return how many records each connection carries."""
    wanted = max(plan.records, plan.records_each * connections)
    return max(1, min(wanted, plan.most_bytes // size) // connections)


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each number of connections and each peer."""
    for connections in plan.record_connections:
        cases = [case_of(connections, size) for size in plan.record_sizes]
        for peer in peers:
            yield of_server(NAME, cases, peer, connections, _measured(plan, connections))


def _measured(plan: Plan, connections: int) -> Callable[[Server], Found]:
    def measured(server: Server) -> Found:
        opened = server.open(connections)
        try:
            server.prove(opened)
            for size in plan.record_sizes:
                each = records_each(plan, connections, size)
                prepared = [(one, one.encrypt(size, each)) for one in opened.connections]
                yield case_of(connections, size), _carried(server, prepared, each, size)
        finally:
            opened.close()

    return measured


def _carried(
    server: Server, prepared: Sequence[tuple[Connection, bytes]], each: int, size: int
) -> dict[str, float]:
    records = each * len(prepared)
    events, received, cpu = server.events(), server.sink.received, server.cpu_when_idle()
    began = time.monotonic()
    blast(prepared, server.deadline)
    server.wait_for(received + records * size)
    seconds = server.sink.read().last - began
    busy = server.cpu() - cpu
    used = server.cpu_when_idle() - cpu
    metrics = {
        "cpu_us_a_record": used / records * 1e6,
        "cpu_ms_a_megabyte": used / (records * size) * MEGABYTE * 1e3,
        "megabytes_a_second": records * size / MEGABYTE / seconds,
        "busy_percent": min(100.0, busy / seconds * 100),
    }
    if events is not None:
        metrics["bytes_an_event"] = records * size / max(1, (server.events() or 0) - events)
    return metrics
