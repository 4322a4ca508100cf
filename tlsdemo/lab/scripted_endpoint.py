"""A tlsdemo end of a connection in the laboratory, whose application follows a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.lab.scenarios import Action, Scenario
from tlsdemo.tls import ConnectionInfo
from tlsdemo.trace.model import End

FIRST = b"question"
SECOND = b"answer"


class ScriptedEndpoint:
    """The listener of one end, which provides the application of the scenario.

    ``actions`` are those that the relay performs.  ``over`` fires when the connection has ended.
    """

    def __init__(
        self,
        end: End,
        scenario: Scenario,
        actions: Mapping[Action, Callable[[], object]],
    ) -> None:
        self._end = end
        self._scenario = scenario
        self._actions = actions
        self.over: Deferred[None] = Deferred()

    def secure(self, _info: ConnectionInfo) -> IProtocol | None:
        """Accept the connection, unless the scenario has the application reject it."""
        return None if self._scenario.rejected_by is self._end else self.plain()

    def plain(self) -> IProtocol:
        """Return the application."""
        return _Script(self._end, self._scenario, self._actions)

    def insecure(self, close_reason: CloseReason) -> None:
        """Report the end."""
        self.ended(close_reason)

    def ended(self, _close_reason: CloseReason) -> None:
        """Report the end."""
        self.over.callback(None)


class _Script(Protocol):
    """Sends a question or an answer, and then performs the action of the scenario if it has to."""

    def __init__(
        self, end: End, scenario: Scenario, actions: Mapping[Action, Callable[[], object]]
    ) -> None:
        self._scenario = scenario
        self._actions = actions
        self._speaks = scenario.writes_first is end
        self._ends = scenario.action_by is end

    def connectionMade(self) -> None:
        if self._speaks:
            self._send(FIRST)

    def dataReceived(self, data: bytes) -> None:
        if not self._speaks:
            self._send(SECOND)
        if self._ends:
            self._finish()

    def _send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def _finish(self) -> None:
        assert self.transport is not None
        action = self._actions.get(self._scenario.action)
        if action is not None:
            action()
        if self._scenario.action in (Action.CLOSE, Action.CLOSE_UNANSWERED):
            self.transport.loseConnection()
