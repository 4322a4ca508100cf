"""Handler ``sink``: takes everything and answers nothing."""

from __future__ import annotations

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.close_reasons import CLEAN
from tlsdemo.proxy.handler import Handler


class SinkHandler(Handler):
    """Takes everything; its stream counts."""

    def dataReceived(self, data: bytes) -> None:
        """Let it go."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be done."""
        self.listener.drained(CLEAN)
