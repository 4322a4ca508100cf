"""Scenario ``stream``: packets as fast as flow control allows, or at a rate."""

from __future__ import annotations

from collections import deque

from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.round_robin import RoundRobin
from tlsdemo.loadgen.scenario import Connections, Scenario
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.sender import Sender
from tlsdemo.reporting.latencies import WRITE


class StreamScenario(Scenario):
    """Every connection sends packets in one direction, and what arrives is compared at the end.

    At a rate, each packet is written by the connection that can send and has waited longest.
    """

    needs_end = True
    ends_itself = True
    main = WRITE
    unit = "packets"

    def __init__(self, pool: Connections, task: Task) -> None:
        super().__init__(pool, task)
        self._packet = b"x" * task.packet_size
        self._round_robin = RoundRobin(pool.reactor, task.burst)
        self._queue = self.queue(self._write)
        self._paced = False
        self._ready: deque[Sender] = deque()

    def application(self, connection: LoadConnection) -> Sender:
        """Return a sender that has not begun."""
        task = self.task
        return Sender(self._packet, task.packets, self._can_send, connection.closing, task.prefill)

    def begin(self, window: Window) -> None:
        """Make every secure connection send."""
        self._paced = window.rate > 0
        for connection in list(self.pool.open_connections):
            if isinstance(connection.application, Sender):
                connection.watch()
                connection.application.begin()
        if self._paced:
            self._queue.begin(window)

    def rest(self) -> None:
        """Stop the packets that are due; without a rate they go on until the end."""
        if self._paced:
            self._queue.rest()
            self.counts.missed += self._queue.take_missed()

    def _can_send(self, sender: Sender) -> None:
        if not self._paced:
            self._round_robin.want(sender)
            return
        self._ready.append(sender)
        self._queue.room()

    def _write(self, due: float) -> bool:
        while self._ready:
            sender = self._ready.popleft()
            if sender.can_send:
                sender.burst(1)
                self.pool.recorder.record(WRITE, due)
                if sender.can_send:
                    self._ready.append(sender)
                return True
        return False
