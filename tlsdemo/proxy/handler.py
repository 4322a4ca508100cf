"""What gets the cleartext: a plain protocol, which never knows how its bytes are secured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as Interface

from twisted.internet.protocol import Protocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls import PullSource, Stream


class HandlerListener(Interface):
    """Hears what a handler does with its connection."""

    def happened(self, event: str) -> None:
        """Something that observers of the connection should see."""

    def backend_connected(self, host: str) -> None:
        """There is a backend now, reached from our address ``host``."""

    def drained(self, close_reason: CloseReason) -> None:
        """The handler is done: everything has been handled, unless ``close_reason`` says not."""


class Handler(Protocol):
    """Takes the cleartext of one connection; ``transport`` is its :class:`Stream`.

    A handler that can take no more sets ``full``, and calls :meth:`take_more` when it can again;
    that is for delivery ``readable``, and does nothing with the others.
    """

    transport: Stream | None

    def __init__(self, listener: HandlerListener) -> None:
        self.listener = listener
        self.full = False
        self._source: PullSource | None = None

    def readable(self, source: PullSource) -> None:
        """Take what there is, as long as there is room."""
        self._source = source
        self.take_more()

    def take_more(self) -> None:
        """Go on taking, if delivery is on demand."""
        while self._source is not None and not self.full:
            data = self._source.read()
            if not data:
                return
            self.dataReceived(data)

    def abort(self) -> None:
        """Give up what is still to be done after the client has gone; mostly nothing."""


MakeHandler = Callable[[HandlerListener, bool], Handler]
"""Makes the handler of a connection; the second argument is ``ConnectionInfo.upgraded``."""
