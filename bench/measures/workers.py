"""More than one core: records and handshakes a second with one process and with two.

The proxy may use every processor, and shares them with the load.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from bench.load.stream import blast
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import Server

NAME = "workers"
PEERS = ("pair", "pair-2-workers", "nginx", "nginx-2-workers")
RECORDS = "records of 32 B"
HANDSHAKES = "handshakes"

_CONNECTIONS = 200
_SIZE = 32


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each peer."""

    def measured(server: Server) -> Found:
        server.open(_CONNECTIONS).close()
        cpu = server.cpu_when_idle()
        opened = server.open(plan.handshakes)
        yield (
            HANDSHAKES,
            {
                "handshakes_a_second": plan.handshakes / opened.seconds,
                "cpu_ms_a_handshake": (server.cpu_when_idle() - cpu) / plan.handshakes * 1e3,
            },
        )
        opened.close()
        opened = server.open(_CONNECTIONS)
        try:
            server.prove(opened)
            each = plan.records // _CONNECTIONS
            prepared = [(one, one.encrypt(_SIZE, each)) for one in opened.connections]
            count = each * _CONNECTIONS
            received, cpu = server.sink.received, server.cpu_when_idle()
            began = time.monotonic()
            blast(prepared, server.deadline)
            server.wait_for(received + count * _SIZE)
            yield (
                RECORDS,
                {
                    "records_a_second": count / (server.sink.read().last - began),
                    "cpu_us_a_record": (server.cpu_when_idle() - cpu) / count * 1e6,
                },
            )
        finally:
            opened.close()

    for peer in peers:
        connections = max(plan.handshakes, _CONNECTIONS)
        yield of_server(NAME, (HANDSHAKES, RECORDS), peer, connections, measured, everywhere=True)
