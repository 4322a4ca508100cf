"""The matrix: every way in every mode and version of TLS, one connection after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from tlsdemo.lab import foreign_run as foreign
from tlsdemo.lab.foreign_run import BESIDE_OURS, run_foreign
from tlsdemo.lab.laboratory import Cell, Laboratory
from tlsdemo.lab.own_run import run_ours
from tlsdemo.lab.scenarios import SCENARIOS, inapplicable
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_process import RunningStack, StackFailed
from tlsdemo.trace.observation import Observation

OURS = "tlsdemo"
MODES = ("starttls", "pair", "wrapped")
TLS = ("1.2", "1.3")

AHEAD = 2
"""How many foreign programs are started ahead of their connection: they take a while."""


@dataclass(frozen=True)
class Selection:
    """Which cells are wanted: each of these with each; ``peers`` are foreign servers."""

    modes: tuple[str, ...] = MODES
    tls: tuple[str, ...] = TLS
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    peers: tuple[str, ...] = ()

    def cells(self) -> list[Cell]:
        """Return the cells, way by way; first ours, then those with foreign servers."""
        ours = [
            Cell(
                mode, tls, SCENARIOS[scenario], s_client.NAME if SCENARIOS[scenario].keys else OURS
            )
            for scenario in self.scenarios
            for mode in self.modes
            for tls in self.tls
        ]
        beside = [
            Cell("starttls", tls, SCENARIOS[scenario], peer)
            for scenario in self.scenarios
            if scenario in BESIDE_OURS
            for peer in self.peers
            for tls in self.tls
        ]
        return [*ours, *beside]


def why_not(cell: Cell) -> str:
    """Return why there is no such connection, or ``""``."""
    if cell.peer == OURS:
        return inapplicable(cell.scenario, cell.tls, cell.mode != "wrapped")
    return foreign.why_not(cell)


async def look(
    lab: Laboratory,
    cells: Sequence[Cell],
    times: int = 2,
    told: Callable[[Cell], object] = lambda _cell: None,
) -> list[Observation]:
    """Make the connection of each cell, and return what was seen.

    Each is made so many ``times``, which shows what is a race.  ``told`` is called before each
    cell.
    """
    ahead = _Ahead(lab, [cell for cell in cells for _ in range(times)])
    try:
        return [await _observation(lab, cell, times, ahead, told) for cell in cells]
    finally:
        await ahead.stop()


async def _observation(
    lab: Laboratory, cell: Cell, times: int, ahead: _Ahead, told: Callable[[Cell], object]
) -> Observation:
    told(cell)
    why = why_not(cell)
    observation = Observation(cell.mode, cell.tls, cell.scenario.name, cell.peer, why)
    for _ in range(0 if why else times):
        if cell.peer == OURS:
            observation.traces.append(await run_ours(lab, cell))
        else:
            observation.traces.append(await run_foreign(lab, cell, ahead.take(cell)))
    return observation


class _Ahead:
    """Starts the programs of the next foreign servers while others are looked at."""

    def __init__(self, lab: Laboratory, cells: Sequence[Cell]) -> None:
        self._lab = lab
        self._coming = deque(cell for cell in cells if cell.peer in STACKS and not why_not(cell))
        self._started: deque[Deferred[RunningStack]] = deque()

    def take(self, wanted: Cell) -> Deferred[RunningStack] | None:
        """Return the program for ``wanted``, the next one; a client is started when it is due."""
        if wanted.peer not in STACKS:
            return None
        while self._coming and len(self._started) <= AHEAD:
            self._started.append(foreign.start(self._lab, self._coming.popleft()))
        return self._started.popleft()

    async def stop(self) -> None:
        """End the programs that nobody has taken."""
        for started in self._started:
            with suppress(StackFailed):
                peer = await started
                peer.kill()
                await peer.ended
