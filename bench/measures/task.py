"""One thing that is measured in every round: a peer, in one or several cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bench.load.pins import Pins
from bench.peers.setup import Peer
from bench.server import Server
from bench.workbench import Workbench

Found = Iterator[tuple[str, Mapping[str, float]]]
"""A case and its metrics, as soon as they are known."""


@dataclass(frozen=True)
class Task:
    """What is measured of one peer without a pause.

    Attributes:
        measure: The name of the measure.
        cases: The names of the cases, all of which ``run`` should return.
        peer: The name of the peer.
        run: Measures; raises CannotMeasure, also after some cases.
        once: Whether one round is enough, as it takes long and hardly varies.
    """

    measure: str
    cases: tuple[str, ...]
    peer: str
    run: Callable[[Workbench], Found]
    once: bool = False


def of_server(
    measure: str,
    cases: Iterable[str],
    peer: Peer,
    connections: int,
    measured: Callable[[Server], Found],
    pins: Pins | None = None,
    everywhere: bool = False,
    once: bool = False,
) -> Task:
    """Return the task that runs a peer and measures it; see ``Workbench.running``."""

    def run(workbench: Workbench) -> Found:
        with workbench.running(peer, connections, pins or Pins(), everywhere) as server:
            yield from measured(server)

    return Task(measure, tuple(cases), peer.name, run, once)
