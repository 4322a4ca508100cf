"""Role ``sink``: takes everything and answers nothing."""

from __future__ import annotations

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.causes import CLEAN
from tlsdemo.server.role import Role


class Sink(Role):
    """Takes everything; its stream counts."""

    def dataReceived(self, data: bytes) -> None:
        """Let it go."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be done."""
        self.owner.drained(CLEAN)
