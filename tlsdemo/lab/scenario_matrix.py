"""The matrix: every scenario in every mode and version of TLS, one connection at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from tlsdemo.lab import foreign_run as foreign
from tlsdemo.lab.foreign_run import WITH_OTHER_STACKS, run_foreign
from tlsdemo.lab.laboratory import Cell, Laboratory
from tlsdemo.lab.own_run import run_ours
from tlsdemo.lab.scenarios import SCENARIOS, inapplicable
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_process import RunningStack, StackFailed
from tlsdemo.tls import MODES as MODES_BY_NAME
from tlsdemo.trace.observation import Observation

OURS = "tlsdemo"
MODES = tuple(name.value for name, mode in MODES_BY_NAME.items() if mode.encrypts)
TLS = ("1.2", "1.3")

AHEAD = 2
"""The number of programs to start ahead of their connections, because starting takes a while."""


@dataclass(frozen=True)
class Selection:
    """The cells to observe: all combinations.  ``peers``: the stacks of other ecosystems."""

    modes: tuple[str, ...] = MODES
    tls: tuple[str, ...] = TLS
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    peers: tuple[str, ...] = ()

    def cells(self) -> list[Cell]:
        """Return the cells, by scenario; first ours, then those with other stacks as server."""
        ours = [
            Cell(
                mode,
                tls,
                SCENARIOS[scenario],
                s_client.NAME if SCENARIOS[scenario].s_client_command else OURS,
            )
            for scenario in self.scenarios
            for mode in self.modes
            for tls in self.tls
        ]
        beside = [
            Cell("starttls", tls, SCENARIOS[scenario], peer)
            for scenario in self.scenarios
            if scenario in WITH_OTHER_STACKS
            for peer in self.peers
            for tls in self.tls
        ]
        return [*ours, *beside]


def why_not(cell: Cell) -> str:
    """Return why there is no such connection, or ``""``."""
    if cell.peer == OURS:
        return inapplicable(cell.scenario, cell.tls, cell.mode != "wrapped")
    return foreign.why_not(cell)


async def observe(
    lab: Laboratory,
    cells: Sequence[Cell],
    times: int = 2,
    before_each: Callable[[Cell], object] = lambda _cell: None,
) -> list[Observation]:
    """Make the connection of each cell, and return the observations.

    Each connection is made ``times`` times, which reveals races.  ``before_each`` is called with
    each cell before its first connection.
    """
    prestarted = _Prestarted(lab, [cell for cell in cells for _ in range(times)])
    try:
        return [await _observe(lab, cell, times, prestarted, before_each) for cell in cells]
    finally:
        await prestarted.stop()


async def _observe(
    lab: Laboratory,
    cell: Cell,
    times: int,
    prestarted: _Prestarted,
    before_each: Callable[[Cell], object],
) -> Observation:
    before_each(cell)
    why = why_not(cell)
    observation = Observation(cell.mode, cell.tls, cell.scenario.name, cell.peer, why)
    for _ in range(0 if why else times):
        if cell.peer == OURS:
            observation.traces.append(await run_ours(lab, cell))
        else:
            observation.traces.append(await run_foreign(lab, cell, prestarted.take(cell)))
    return observation


class _Prestarted:
    """Starts the programs of the next cells while other cells are being observed."""

    def __init__(self, lab: Laboratory, cells: Sequence[Cell]) -> None:
        self._lab = lab
        self._waiting = deque(cell for cell in cells if cell.peer in STACKS and not why_not(cell))
        self._started: deque[Deferred[RunningStack]] = deque()

    def take(self, cell: Cell) -> Deferred[RunningStack] | None:
        """Return the program of ``cell``, which has to be the next one; None if it is no server."""
        if cell.peer not in STACKS:
            return None
        while self._waiting and len(self._started) <= AHEAD:
            self._started.append(foreign.start(self._lab, self._waiting.popleft()))
        return self._started.popleft()

    async def stop(self) -> None:
        """End the programs that have not been taken."""
        for started in self._started:
            with suppress(StackFailed):
                stack = await started
                stack.kill()
                await stack.ended
