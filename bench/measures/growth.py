"""Growth: what a record and a handshake cost when ever more connections are open.

Every connection has one burst of 64 records waiting, whatever their number, so that only the number
differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bench.load.connection import Connection
from bench.load.stream import Bursts
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import Server

NAME = "growth"
SIZE = 32
BURST = 64

_RECORDS = 384_000
_HANDSHAKES = 200


def case_of(count: int) -> str:
    """Return the name of a case."""
    return f"{count:,} connections"


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each peer, which opens ever more connections."""
    for peer in peers:
        yield of_server(
            NAME, map(case_of, plan.growth), peer, max(plan.growth) + _HANDSHAKES,
            _measured(plan),
        )  # fmt: skip


def _measured(plan: Plan) -> Callable[[Server], Found]:
    def measured(server: Server) -> Found:
        for count in plan.growth:
            opened = server.open(count)
            try:
                server.prove(opened)
                handshake = _handshake(server)
                record = _record(server, opened.connections)
            finally:
                opened.close()
            yield (
                case_of(count),
                {
                    "cpu_us_a_record": record * 1e6,
                    "cpu_ms_a_handshake": handshake * 1e3,
                },
            )

    return measured


def _handshake(server: Server) -> float:
    before = server.cpu_when_idle()
    more = server.open(_HANDSHAKES)
    try:
        return (server.cpu_when_idle() - before) / _HANDSHAKES
    finally:
        more.close()


def _record(server: Server, connections: list[Connection]) -> float:
    count = len(connections)
    bursts = max(1, _RECORDS // BURST // count)
    prepared = [(each, each.encrypt(SIZE, bursts * BURST)) for each in connections]
    stream = Bursts(prepared, BURST, bursts * BURST, SIZE, server.deadline)
    received, before = server.sink.received, server.cpu_when_idle()
    stream.keep_waiting(count, lambda: server.sink.received - received, lambda: False)
    server.wait_for(received + stream.sent)
    return (server.cpu_when_idle() - before) / (stream.sent / SIZE)
