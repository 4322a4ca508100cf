"""Turns: many senders share one process, and its reactor gets to write what they send."""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IReactorTime

from tlsdemo.loadgen.sender import Sender

PACKETS_A_TURN = 1024
"""Packets that are written before the reactor gets to send them; some milliseconds' worth."""


class RoundRobin:
    """Lets every sender that can send write a burst, one after the other, again and again.

    ``burst``: packets of one connection in a row.
    """

    def __init__(self, clock: IReactorTime, burst: int) -> None:
        self._clock = clock
        self._burst = burst
        self._queue: deque[Sender] = deque()
        self._queued: set[Sender] = set()
        self._scheduled = False

    def want(self, sender: Sender) -> None:
        """Queue ``sender`` for its turn, if it is not queued."""
        if sender not in self._queued:
            self._queued.add(sender)
            self._queue.append(sender)
            self._schedule()

    def _schedule(self) -> None:
        if self._queue and not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        for _ in range(min(len(self._queue), max(1, PACKETS_A_TURN // self._burst))):
            sender = self._queue.popleft()
            self._queued.discard(sender)
            sender.burst(self._burst)
            if sender.can_send:
                self.want(sender)
        self._schedule()
