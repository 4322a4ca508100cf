"""The application of a connection that is only held."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.loadgen.application import LoadApplication


class Holder(LoadApplication):
    """Holds its connection until :meth:`finish`; ``closing`` is called before it is closed.

    What the server sends is ignored.
    """

    unfinished = "the server closed a connection that was to be held"

    def __init__(self, closing: Callable[[], object]) -> None:
        self._closing = closing

    def trickle(self) -> None:
        """Send one byte."""
        if self.transport is not None and not self.complete:
            self.transport.write(b"x")

    def finish(self) -> None:
        """Close in order."""
        if self.transport is not None and not self.complete:
            self.complete = True
            self._closing()
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Send no more."""
        self.transport = None
