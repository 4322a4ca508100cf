"""Memory: what an idle connection costs, which was secured and has carried a byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bench.child import CannotMeasure, NotInstalled
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import Server
from bench.workbench import Workbench

NAME = "memory"
_WARM_UP = 50
_MANY = 5000
"""More connections than every peer can have."""


def case_of(count: int) -> str:
    """Return the name of a case."""
    return f"{count:,} idle"


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each number of connections and each peer."""
    for wanted in plan.idle:
        # A proxy needs two descriptors for each connection, and has no more than we may have.
        count = min(wanted, Workbench.most_connections())
        for peer in peers:
            yield of_server(
                NAME, [case_of(count)], peer, count + _WARM_UP, _measured(count),
                once=count > _MANY,
            )  # fmt: skip


def _measured(count: int) -> Callable[[Server], Found]:
    def measured(server: Server) -> Found:
        warm = server.open(_WARM_UP)
        server.prove(warm)
        try:
            server.cpu_when_idle()
            before = server.memory()
            try:
                opened = server.open(count)
            except CannotMeasure as problem:
                if count <= _MANY:
                    raise
                raise NotInstalled(f"it does not have so many connections: {problem}") from None
            try:
                server.prove(opened)
                server.cpu_when_idle()
                kib = (server.memory() - before) / count / 1024
                yield case_of(count), {"kib_a_connection": kib}
            finally:
                opened.close()
        finally:
            warm.close()

    return measured
