"""Handler ``sink``: discards what it receives."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CLEAN
from tlsdemo.proxy.handler import Handler


@implementer(IHalfCloseableProtocol)
class SinkHandler(Handler):
    """Discards what it receives; the stream counts it."""

    def dataReceived(self, data: bytes) -> None:
        """Discard ``data``."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report that everything has been handled."""
        self.listener.drained(CLEAN)
