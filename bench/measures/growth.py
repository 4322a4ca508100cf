"""Growth: what a record and a handshake cost when ever more connections are open.

Every connection has one burst of 64 records waiting, whatever their number, so that only the number
differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bench.load.stream import Bursts
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import Server

NAME = "growth"
SIZE = 32
BURST = 64

_RECORDS = 512_000
_LEAST_HANDSHAKES = 200


def case_of(count: int) -> str:
    """Return the name of a case."""
    return f"{count:,} connections"


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each peer, which opens ever more connections."""
    for peer in peers:
        yield of_server(
            NAME, map(case_of, plan.growth), peer, max(plan.growth) + _LEAST_HANDSHAKES,
            _measured(plan),
        )  # fmt: skip


def _measured(plan: Plan) -> Callable[[Server], Found]:
    def measured(server: Server) -> Found:
        for count in plan.growth:
            opened = server.open(count)
            try:
                server.prove(opened)
                before = server.cpu_when_idle()
                more = server.open(_LEAST_HANDSHAKES)
                handshake = (server.cpu_when_idle() - before) / _LEAST_HANDSHAKES
                more.close()
                bursts = max(1, _RECORDS // BURST // count)
                prepared = [
                    (each, each.encrypt(SIZE, bursts * BURST)) for each in opened.connections
                ]
                stream = Bursts(prepared, BURST, bursts * BURST, SIZE, server.deadline)
                received, before = server.sink.received, server.cpu_when_idle()
                stream.keep_waiting(count, lambda: server.sink.received - received, lambda: False)
                server.wait_for(received + stream.sent)
                record = (server.cpu_when_idle() - before) / (stream.sent / SIZE)
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
