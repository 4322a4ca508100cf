"""Responsiveness: how long a probe and a fresh connection wait while others stream."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from bench.child import CannotMeasure, Child
from bench.load.pins import X25519, Pins
from bench.load.stream import Bursts
from bench.measures.task import Found, Task
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.samples import percentile
from bench.server import Server
from bench.workbench import Workbench

NAME = "responsiveness"
EQUAL = "equal load"
SATURATED = "saturated"
SIZE = 32
BURST = 64

_FASTEST = 2_000_000
"""Records a second that no peer reaches; so many are prepared for the saturated case."""
_MOST_PREPARED = 6_000_000
_GRACE = 30.0


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each peer."""
    for peer in peers:
        yield _task(plan, peer)


def _task(plan: Plan, peer: Peer) -> Task:
    def run(workbench: Workbench) -> Found:
        with workbench.running(peer, plan.streaming + 2000, Pins()) as server:
            for case in (EQUAL, SATURATED):
                # What a case has encrypted and not sent is missing on its connections for ever.
                opened = server.open(plan.streaming)
                try:
                    server.prove(opened)
                    yield case, _probed(server, workbench, opened.connections, plan, case)
                finally:
                    opened.close()

    return Task(NAME, (EQUAL, SATURATED), peer.name, run)


def _probed(
    server: Server, workbench: Workbench, connections: list[Any], plan: Plan, case: str
) -> dict[str, float]:
    rate = plan.rate if case is EQUAL else _FASTEST
    total = min(int(rate * plan.seconds), _MOST_PREPARED)
    bursts = max(1, -(-total // (BURST * len(connections))))
    prepared = [(each, each.encrypt(SIZE, bursts * BURST)) for each in connections]
    streamed = Bursts(prepared, BURST, bursts * BURST, SIZE, server.deadline)
    client = workbench.certificates.client
    files = [str(each) for each in (client.certificate, client.key)]
    prober = Child(
        [
            *(sys.executable, "-m", "bench.load.prober", str(server.port), X25519),
            *(str(plan.seconds), *files),
        ],
        workbench.affinity.load,
    )
    try:
        prober.line()
        cpu = server.cpu_when_idle()
        received, began = server.sink.received, time.monotonic()
        prober.tell()
        if case is EQUAL:
            streamed.keep_rate(plan.rate * SIZE, plan.seconds)
        else:
            answered = _Readable(prober)
            streamed.keep_waiting(
                len(connections), lambda: server.sink.received - received, answered.seen
            )
        busy = server.cpu() - cpu
        carried = server.sink.received - received
        seconds = time.monotonic() - began
        found = prober.line(plan.seconds + _GRACE)
        # What a stream still has on its way belongs to this case, not to the next one.
        server.wait_for(received + streamed.sent + found["echoed"], perhaps=found["late"])
    finally:
        with contextlib.suppress(CannotMeasure):
            prober.stop()
    metrics = {
        "busy_percent": busy / seconds * 100,
        "records_a_second": carried / SIZE / seconds,
    }
    for kind in ("probe", "fresh"):
        for part in (50, 99):
            metrics[f"{kind}_p{part}_ms"] = percentile(found[kind], part / 100) * 1e3
    return metrics


class _Readable:
    """Whether the prober has finished."""

    def __init__(self, prober: Child) -> None:
        self._prober = prober

    def seen(self) -> bool:
        return self._prober.readable
