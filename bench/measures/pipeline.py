"""Node's own workload: client, proxy and sink in one process, and how much goes through it.

That is ``benchmark/tls/secure-pair.js`` of Node: one client writes the same bytes as often as flow
control allows, the proxy secures the accepted connection and passes on to a plain sink.

Twisted's transports take a list of writes with one call (``writeSequence``), and so the client of
tlsdemo hands small writes over; it is measured with a call for each of them too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.affinity import ALL
from bench.child import Child, NotInstalled
from bench.measures.task import Found, Task
from bench.peers.catalogue import NODE
from bench.peers.programs import find_program
from bench.plan import Plan
from bench.workbench import Workbench

NAME = "pipeline"

_PEERS = Path(__file__).resolve().parent.parent / "peers"
_GRACE = 30.0

_TWISTED = (sys.executable, "-m", "bench.peers.twisted_pipeline")
COMMANDS = {
    "pair": (*_TWISTED, "pair"),
    "starttls-coalesced": (*_TWISTED, "starttls"),
    "asyncio": (sys.executable, "-m", "bench.peers.asyncio_pipeline"),
    **{name: ("node", str(_PEERS / "node_pipeline.js"), name.partition("-")[2]) for name in NODE},
}
"""By the name of the peer: the program, and its first arguments."""


EACH = "-each"
"""Behind the way of tlsdemo's client: with a call for each write."""

SMALL = 1 << 14
"""Bytes of a write from which on a list would have few."""


def case_of(size: int) -> str:
    """Return the name of a case."""
    return f"writes of {size:,} B"


def each_case_of(size: int) -> str:
    """Return the name of the case in which there is a call for each write."""
    return f"{case_of(size)}, a call each"


def tasks(plan: Plan, names: frozenset[str]) -> Iterator[Task]:
    """Return a task for each size and each of the peers ``names``."""
    for size in plan.pipeline_sizes:
        for name, command in COMMANDS.items():
            if name in names:
                yield _task(plan, name, command, size)


def _task(plan: Plan, name: str, command: tuple[str, ...], size: int) -> Task:
    cases = (case_of(size), each_case_of(size)) if size < SMALL else (case_of(size),)

    def run(workbench: Workbench) -> Found:
        metrics = measured(workbench, command)
        yield cases[0], metrics
        if len(cases) > 1:
            # The others have no call for a list.
            lists = command[: len(_TWISTED)] == _TWISTED
            each = (*command[:-1], command[-1] + EACH)
            yield cases[1], measured(workbench, each) if lists else metrics

    def measured(workbench: Workbench, command: tuple[str, ...]) -> dict[str, float]:
        certificates = workbench.certificates
        own, client = certificates.server, certificates.client
        files = (own.certificate, own.key, own.authority, client.certificate, client.key)
        program = find_program(command[0])
        # One processor, on which nothing else of ours runs.
        cpus = workbench.affinity.peer if workbench.affinity.peer != ALL else ALL
        child = Child(
            [program, *command[1:], str(size), str(plan.pipeline_seconds), *map(str, files)], cpus
        )
        try:
            found = child.line(plan.pipeline_seconds + _GRACE)
        finally:
            child.stop()
        if "unavailable" in found:
            raise NotInstalled(found["unavailable"])
        return {
            "megabytes_a_second": found["bytes"] / found["seconds"] / 1e6,
            "megabytes_a_cpu_second": found["bytes"] / found["cpu_seconds"] / 1e6,
            "writes_a_second": found["bytes"] / size / found["seconds"],
        }

    return Task(NAME, cases, name, run)
