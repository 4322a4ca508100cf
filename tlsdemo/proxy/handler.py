"""The base class of handlers: protocols that receive the cleartext, and know nothing of TLS."""

from __future__ import annotations

import typing
from collections.abc import Callable

from twisted.internet.protocol import Protocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls import PullSource, Stream


class HandlerListener(typing.Protocol):
    """Called with what a handler does with its connection."""

    def report(self, event: str) -> None:
        """An event that observers of the connection should see."""

    def backend_connected(self, host: str) -> None:
        """The embedded sink is connected; ``host`` is our own address towards it."""

    def drained(self, close_reason: CloseReason) -> None:
        """The handler has finished; if ``close_reason`` is clean, everything has been handled."""


class Handler(Protocol):
    """Handles the cleartext of one connection; ``transport`` is its :class:`Stream`.

    With delivery ``readable``, a handler that cannot take more data sets ``full``, and calls
    :meth:`read_more` when it can again.  With the other deliveries that has no effect.
    """

    transport: Stream | None

    def __init__(self, listener: HandlerListener) -> None:
        self.listener = listener
        self.full = False
        self._source: PullSource | None = None

    def readable(self, source: PullSource) -> None:
        """Read from ``source`` while there is room."""
        self._source = source
        self.read_more()

    def read_more(self) -> None:
        """Continue reading, if delivery is on demand."""
        while self._source is not None and not self.full:
            data = self._source.read()
            if not data:
                return
            self.dataReceived(data)

    # What the stream calls if it is half-closed; a subclass that answers declares it.

    def readConnectionLost(self) -> None:
        """Close: the client has finished, and everything that it sent has been answered."""
        assert self.transport is not None
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: all that was written has been sent."""

    def abort(self) -> None:
        """Give up what remains to be done after the client has gone; by default nothing."""


MakeHandler = Callable[[HandlerListener, bool], Handler]
"""Makes the handler of a connection; the second argument is ``ConnectionInfo.upgraded``."""
