"""Scenario ``churn``: connections that are opened, verified and closed, one after the other."""

from __future__ import annotations

from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.exchange import exchange_of
from tlsdemo.loadgen.holder import Holder
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.pinger import Pinger
from tlsdemo.loadgen.scenario import Connections, Scenario
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.latencies import ROUND_TRIP


class ChurnScenario(Scenario):
    """Opens connections, each for ``packets`` messages with verified answers, or for none.

    One for none is closed as soon as it is secure, and is good if the server confirms it: by a
    session ticket, by data, or by closing in order as well.
    """

    opens_first = False

    def __init__(self, pool: Connections, task: Task) -> None:
        super().__init__(pool, task)
        self._exchange = exchange_of(task.packet_size, task.say, task.expect)
        self.packet_size = len(self._exchange.message(0))
        self._queue = self.queue(self._open)
        self._outstanding = 0

    @property
    def outstanding(self) -> int:
        """The number of connections that have not ended."""
        return self._outstanding

    def application(self, connection: LoadConnection) -> LoadApplication:
        """Return what sends the messages, and closes."""
        now = self.pool.recorder.now
        packets = self.task.packets
        if not packets:
            holder = Holder(connection.closing)
            self.pool.reactor.callLater(0, holder.finish)
            return holder
        pinger = Pinger(self._exchange, 1, packets, self._answered, connection.closing)
        self.pool.reactor.callLater(0, self._ping, pinger, now())
        return pinger

    def begin(self, window: Window) -> None:
        """Open connections."""
        self._queue.begin(window)

    def rest(self) -> None:
        """Open no more connections."""
        self._queue.rest()
        self.counts.missed += self._queue.take_missed()

    def ended(self, connection: LoadConnection) -> None:
        """Make room for another."""
        self._outstanding -= 1
        self.pool.reactor.callLater(0, self._queue.room)

    def _open(self, due: float) -> bool:
        if not self.pool.may_open():
            return False
        self._outstanding += 1
        self.pool.open_connection(due)
        return True

    def _ping(self, pinger: Pinger, due: float) -> None:
        if pinger.room > 0:
            pinger.ping(due)

    def _answered(self, pinger: Pinger, due: float) -> None:
        self.pool.recorder.record(ROUND_TRIP, due)
        self.counts.answered += 1
        self._ping(pinger, self.pool.recorder.now())
