"""One end of a connection in the laboratory: what it is told, and what its application does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.lab.scenarios import Action, Scenario
from tlsdemo.tls import ConnectionInfo
from tlsdemo.trace.model import End
from tlsdemo.trace.timeline import Timeline

FIRST = b"question"
SECOND = b"answer"


class ScriptedEndpoint:
    """Listens to the securing of one end, and gives it the application that the way wants.

    ``orders`` are what the wire can be told to do.  ``over`` fires when this end has ended.
    """

    def __init__(
        self,
        end: End,
        scenario: Scenario,
        timeline: Timeline,
        orders: Mapping[Action, Callable[[], object]],
    ) -> None:
        self._end = end
        self._scenario = scenario
        self._timeline = timeline
        self._orders = orders
        self.over: Deferred[None] = Deferred()

    def handshake_completed(self) -> None:
        """Note Twisted's word."""
        self._timeline.record("handshakeCompleted")

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Note ours, and say yes or no."""
        self._timeline.record("secure", agreed=str(info))
        return None if self._scenario.rejected_by is self._end else self.plain()

    def plain(self) -> IProtocol:
        """Give the application."""
        return _Script(self._end, self._scenario, self._orders)

    def insecure(self, close_reason: CloseReason) -> None:
        """Note that it could not be secured."""
        self._note("insecure", close_reason)

    def ended(self, close_reason: CloseReason) -> None:
        """Note its end."""
        self._note("closed", close_reason)

    def _note(self, name: str, close_reason: CloseReason) -> None:
        self._timeline.record(name, cause=close_reason.cause.value, detail=close_reason.detail)
        self.over.callback(None)


class _Script(Protocol):
    """The application: it asks or answers, and then one of the two does what ends it all."""

    def __init__(
        self, end: End, scenario: Scenario, orders: Mapping[Action, Callable[[], object]]
    ) -> None:
        self._scenario = scenario
        self._orders = orders
        self._speaks = scenario.writes_first is end
        self._ends = scenario.action_by is end

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
        order = self._orders.get(self._scenario.action)
        if order is not None:
            order()
        if self._scenario.action in (Action.CLOSE, Action.CLOSE_UNANSWERED):
            self.transport.loseConnection()
