"""The transport of a pinned protocol, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from tlsdemo.testing.pins.watching import Report
from tlsdemo.testing.starttls_transport import StartTLSTransport


class PinnedTransport(StartTLSTransport):
    """A transport that fails as a socket's does, and reports what it asks of its producer."""

    def __init__(self, protocol: Any, *, is_client: bool, clock: Clock, report: Report) -> None:
        super().__init__(protocol, is_client=is_client, clock=clock)
        self._report = report

    def turn(self) -> None:
        """Do what one iteration of the reactor would; an exception ends the connection."""
        try:
            super().turn()
        except Exception as error:
            self.lose(error)

    def pause_producer(self) -> None:
        """Pause the producer, as the buffer is full.  A pull producer is not asked anyway."""
        if self.streamingProducer:
            self._report("buffer full, producer paused")
            self.producer.pauseProducing()
        else:
            self._report("buffer full, and no producer to pause")

    def resume_producer(self) -> None:
        """Resume the producer, as the buffer is empty."""
        if self.producer is not None and self.streamingProducer:
            self._report("buffer empty, producer resumed")
            self.producer.resumeProducing()
