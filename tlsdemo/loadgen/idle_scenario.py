"""Scenario ``idle``: connections that are only held, perhaps with a byte from time to time."""

from __future__ import annotations

from itertools import chain, repeat

from tlsdemo.loadgen.arrivals import Window, due_times
from tlsdemo.loadgen.holder import Holder
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.pacer import Pacer
from tlsdemo.loadgen.scenario import Connections, Scenario
from tlsdemo.loadgen.schedule import Task


class IdleScenario(Scenario):
    """Holds every connection; with ``trickle``, each sends a byte every so many seconds."""

    def __init__(self, pool: Connections, task: Task) -> None:
        super().__init__(pool, task)
        self.packet_size = 1
        self._holders: list[Holder] = []
        self._pacer: Pacer | None = None

    def application(self, connection: LoadConnection) -> Holder:
        """Return what holds a connection."""
        holder = Holder(connection.closing)
        self._holders.append(holder)
        return holder

    def begin(self, window: Window) -> None:
        """Begin to trickle."""
        if self.task.trickle and self._holders:
            rate = len(self._holders) / self.task.trickle
            turns = chain.from_iterable(repeat(self._holders))
            self._pacer = Pacer(
                self.pool.reactor,
                self.pool.recorder.now,
                due_times(Window(rate=rate)),
                lambda _due: next(turns).trickle(),
            )

    def rest(self) -> None:
        """Send nothing more."""
        if self._pacer is not None:
            self._pacer.stop()
            self._pacer = None
