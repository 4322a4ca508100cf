"""The matrix: every way in every mode and version of TLS, one connection after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from tlsdemo.events import foreign
from tlsdemo.events.foreign import BESIDE_OURS, run_foreign
from tlsdemo.events.laboratory import Cell, Laboratory
from tlsdemo.events.ours import run_ours
from tlsdemo.events.ways import WAYS, inapplicable
from tlsdemo.peers import s_client
from tlsdemo.peers.catalogue import PEERS
from tlsdemo.peers.peer import PeerFailed, RunningPeer
from tlsdemo.sightings import Sighting

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
    ways: tuple[str, ...] = tuple(WAYS)
    peers: tuple[str, ...] = ()

    def cells(self) -> list[Cell]:
        """Return the cells, way by way; first ours, then those with foreign servers."""
        ours = [
            Cell(mode, tls, WAYS[way], s_client.NAME if WAYS[way].keys else OURS)
            for way in self.ways
            for mode in self.modes
            for tls in self.tls
        ]
        beside = [
            Cell("starttls", tls, WAYS[way], peer)
            for way in self.ways
            if way in BESIDE_OURS
            for peer in self.peers
            for tls in self.tls
        ]
        return [*ours, *beside]


def why_not(cell: Cell) -> str:
    """Return why there is no such connection, or ``""``."""
    if cell.peer == OURS:
        return inapplicable(cell.way, cell.tls, cell.mode != "wrapped")
    return foreign.why_not(cell)


async def look(
    lab: Laboratory,
    cells: Sequence[Cell],
    times: int = 2,
    told: Callable[[Cell], object] = lambda _cell: None,
) -> list[Sighting]:
    """Make the connection of each cell, and return what was seen.

    Each is made so many ``times``, which shows what is a race.  ``told`` is called before each
    cell.
    """
    ahead = _Ahead(lab, [cell for cell in cells for _ in range(times)])
    try:
        return [await _sighting(lab, cell, times, ahead, told) for cell in cells]
    finally:
        await ahead.stop()


async def _sighting(
    lab: Laboratory, cell: Cell, times: int, ahead: _Ahead, told: Callable[[Cell], object]
) -> Sighting:
    told(cell)
    why = why_not(cell)
    sighting = Sighting(cell.mode, cell.tls, cell.way.name, cell.peer, why)
    for _ in range(0 if why else times):
        if cell.peer == OURS:
            sighting.traces.append(await run_ours(lab, cell))
        else:
            sighting.traces.append(await run_foreign(lab, cell, ahead.take(cell)))
    return sighting


class _Ahead:
    """Starts the programs of the next foreign servers while others are looked at."""

    def __init__(self, lab: Laboratory, cells: Sequence[Cell]) -> None:
        self._lab = lab
        self._coming = deque(cell for cell in cells if cell.peer in PEERS and not why_not(cell))
        self._started: deque[Deferred[RunningPeer]] = deque()

    def take(self, wanted: Cell) -> Deferred[RunningPeer] | None:
        """Return the program for ``wanted``, the next one; a client is started when it is due."""
        if wanted.peer not in PEERS:
            return None
        while self._coming and len(self._started) <= AHEAD:
            self._started.append(foreign.start(self._lab, self._coming.popleft()))
        return self._started.popleft()

    async def stop(self) -> None:
        """End the programs that nobody has taken."""
        for started in self._started:
            with suppress(PeerFailed):
                peer = await started
                peer.kill()
                await peer.ended
