"""How late a worker's own reactor is, which is part of every latency that it measures."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IDelayedCall

from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting.latencies import LAG

PERIOD = 0.01
"""Seconds between two calls."""


class LagMeter:
    """Records how late a call is that is due every `PERIOD` seconds, and those that it delays.

    So the percentiles are those of time: the 99th is exceeded for 1 % of it.
    """

    def __init__(self, reactor: Any, recorder: Recorder) -> None:
        self._reactor = reactor
        self._recorder = recorder
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Start measuring."""
        self._due = self._recorder.now() + PERIOD
        self._call = self._reactor.callLater(PERIOD, self._tick)

    def stop(self) -> None:
        """Stop measuring."""
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _tick(self) -> None:
        self._recorder.stall(LAG, self._recorder.now() - self._due, PERIOD)
        self.start()
