"""Handler ``echo``: sends back what it receives."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN
from tlsdemo.proxy.handler import Handler


@implementer(IPushProducer, IHalfCloseableProtocol)
class EchoHandler(Handler):
    """Sends back what it receives, no faster than the client reads it."""

    def connectionMade(self) -> None:
        """Register as the producer of the transport: what is read is what is written."""
        assert self.transport is not None
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Send ``data`` back."""
        assert self.transport is not None
        self.transport.write(data)

    def pauseProducing(self) -> None:
        """Stop reading: the client does not read."""
        self.full = True
        if self.transport is not None and self._source is None:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Resume reading."""
        self.full = False
        if self.transport is not None and self._source is None:
            self.transport.resumeProducing()
        self.read_more()

    def stopProducing(self) -> None:
        """Read the rest, so that the end can be reported: the connection is closed."""
        self.full = False
        self.read_more()

    def readConnectionLost(self) -> None:
        """Close, after everything has been sent back."""
        assert self.transport is not None
        self.transport.unregisterProducer()
        super().readConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report that everything has been handled."""
        self.listener.drained(CLEAN)
