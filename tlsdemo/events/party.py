"""One end of a connection in the laboratory: what it is told, and what its application does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol

from tlsdemo.causes import Ending
from tlsdemo.events.ways import Does, Way
from tlsdemo.secure import Agreement
from tlsdemo.timeline import Timeline
from tlsdemo.trace import End

FIRST = b"question"
SECOND = b"answer"


class Party:
    """Listens to the securing of one end, and gives it the application that the way wants.

    ``orders`` are what the wire can be told to do.  ``over`` fires when this end has ended.
    """

    def __init__(
        self,
        end: End,
        way: Way,
        timeline: Timeline,
        orders: Mapping[Does, Callable[[], object]],
    ) -> None:
        self._end = end
        self._way = way
        self._timeline = timeline
        self._orders = orders
        self.over: Deferred[None] = Deferred()

    def handshake_completed(self) -> None:
        """Note Twisted's word."""
        self._timeline.record("handshakeCompleted")

    def secure(self, agreement: Agreement) -> IProtocol | None:
        """Note ours, and say yes or no."""
        self._timeline.record("secure", agreed=str(agreement))
        return None if self._way.rejects is self._end else self.plain()

    def plain(self) -> IProtocol:
        """Give the application."""
        return _Script(self._end, self._way, self._orders)

    def insecure(self, ending: Ending) -> None:
        """Note that it could not be secured."""
        self._note("insecure", ending)

    def ended(self, ending: Ending) -> None:
        """Note its end."""
        self._note("closed", ending)

    def _note(self, name: str, ending: Ending) -> None:
        self._timeline.record(name, cause=ending.cause.value, detail=ending.detail)
        self.over.callback(None)


class _Script(Protocol):
    """The application: it asks or answers, and then one of the two does what ends it all."""

    def __init__(self, end: End, way: Way, orders: Mapping[Does, Callable[[], object]]) -> None:
        self._way = way
        self._orders = orders
        self._speaks = way.speaks is end
        self._ends = way.ends is end

    def connectionMade(self) -> None:
        if self._speaks:
            self._say(FIRST)

    def dataReceived(self, data: bytes) -> None:
        if not self._speaks:
            self._say(SECOND)
        if self._ends:
            self._finish()

    def _say(self, words: bytes) -> None:
        assert self.transport is not None
        self.transport.write(words)

    def _finish(self) -> None:
        assert self.transport is not None
        order = self._orders.get(self._way.does)
        if order is not None:
            order()
        if self._way.does in (Does.CLOSE, Does.CLOSE_UNANSWERED):
            self.transport.loseConnection()
