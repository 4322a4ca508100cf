"""Handler ``echo``: sends back what it gets."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN
from tlsdemo.proxy.handler import Handler


@implementer(IPushProducer)
class EchoHandler(Handler):
    """Sends back what it gets, no faster than the client takes it."""

    def connectionMade(self) -> None:
        """Be paused by our own transport: what we read is what we write."""
        assert self.transport is not None
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        assert self.transport is not None
        self.transport.write(data)

    def pauseProducing(self) -> None:
        """The client takes no more for now: read no more."""
        self.full = True
        if self.transport is not None and self._source is None:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """The client takes more: read on."""
        self.full = False
        if self.transport is not None and self._source is None:
            self.transport.resumeProducing()
        self.take_more()

    def stopProducing(self) -> None:
        """The connection is gone: nothing is worth waiting for, and the end waits for us."""
        self.full = False
        self.take_more()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be done."""
        self.listener.drained(CLEAN)
