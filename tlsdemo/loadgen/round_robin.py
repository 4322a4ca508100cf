"""Round robin: many senders share one process, and the reactor runs between their bursts."""

from __future__ import annotations

from collections import deque

from twisted.internet.interfaces import IReactorTime

from tlsdemo.loadgen.sender import Sender

PACKETS_PER_ITERATION = 4096
"""Packets that are written in one iteration of the reactor, which takes some milliseconds."""


class RoundRobin:
    """Has the senders that can send write one burst each, in turn.

    ``burst``: packets that a sender writes at a time.
    """

    def __init__(self, clock: IReactorTime, burst: int) -> None:
        self._clock = clock
        self._burst = burst
        self._queue: deque[Sender] = deque()
        self._queued: set[Sender] = set()
        self._scheduled = False

    def want(self, sender: Sender) -> None:
        """Queue ``sender`` for a burst, unless it is queued already."""
        if sender not in self._queued:
            self._queued.add(sender)
            self._queue.append(sender)
            self._schedule()

    def _schedule(self) -> None:
        if self._queue and not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._run)

    def _run(self) -> None:
        self._scheduled = False
        for _ in range(max(1, PACKETS_PER_ITERATION // self._burst)):
            if not self._queue:
                break
            sender = self._queue.popleft()
            self._queued.discard(sender)
            sender.burst(self._burst)
            if sender.can_send:
                self.want(sender)
        self._schedule()
