"""Scenario ``pingpong``: messages whose answers are verified, on connections that stay open."""

from __future__ import annotations

from collections import deque

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.exchange import exchange_of
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.pinger import Pinger
from tlsdemo.loadgen.scenario import Connections, Scenario
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.latencies import ROUND_TRIP


class PingPongScenario(Scenario):
    """Each message goes to the connection that has waited longest; its round trip is measured."""

    ends_itself = True
    main = ROUND_TRIP
    unit = "messages"

    def __init__(self, pool: Connections, task: Task) -> None:
        super().__init__(pool, task)
        self._exchange = exchange_of(task.packet_size, task.say, task.expect)
        self.packet_size = len(self._exchange.message(0))
        self._queue = self.queue(self._ping)
        self._free: deque[Pinger] = deque()
        self._outstanding = 0
        self._begun = False

    def application(self, connection: LoadConnection) -> Pinger:
        """Return a pinger that can take as many messages as the pipeline is long."""
        task = self.task
        pinger = Pinger(
            self._exchange, task.pipeline, task.packets, self._answered, connection.closing
        )
        self._free.extend([pinger] * task.pipeline)
        return pinger

    @property
    def outstanding(self) -> int:
        """The number of messages without an answer."""
        return self._outstanding

    def begin(self, window: Window) -> None:
        """Send messages."""
        if not self._begun:
            self._begun = True
            for connection in list(self.pool.open_connections):
                connection.watch()
        self._queue.begin(window)

    def rest(self) -> None:
        """Send no more messages."""
        self._queue.rest()
        self.counts.missed += self._queue.take_missed()

    def ended(self, connection: LoadConnection) -> None:
        """Forget the messages of a connection that has ended: they will not be answered."""
        if isinstance(connection.application, Pinger):
            self._outstanding -= connection.application.outstanding

    def _ping(self, due: float) -> bool:
        while self._free:
            pinger = self._free.popleft()
            if pinger.room > 0:
                self._outstanding += 1
                pinger.ping(due)
                return True
        return False

    def _answered(self, pinger: Pinger, due: float) -> None:
        self.pool.recorder.record(ROUND_TRIP, due)
        self.counts.answered += 1
        self._outstanding -= 1
        self._free.append(pinger)
        self._queue.room()
