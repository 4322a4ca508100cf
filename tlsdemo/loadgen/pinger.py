"""The application of a connection that sends messages, and verifies each answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.exchange import Exchange, WrongAnswer


class Pinger(LoadApplication):
    """Sends the messages of ``exchange``; ``pipeline`` may be without an answer at a time.

    ``answered`` is called with this and the due time of each message whose answer was right.
    ``closing`` is called before the connection is closed: after ``most`` messages, unless that is
    0, or by :meth:`finish`.  A wrong answer aborts the connection.
    """

    unfinished = "the server closed before it had answered"

    def __init__(
        self,
        exchange: Exchange,
        pipeline: int,
        most: int,
        answered: Callable[[Pinger, float], object],
        closing: Callable[[], object],
    ) -> None:
        self._exchange = exchange
        self._pipeline = pipeline
        self._most = most
        self._answered = answered
        self._closing = closing
        self._awaited: deque[tuple[float, bytes]] = deque()
        self._received = bytearray()
        self._sent = 0
        self._finishing = False

    @property
    def outstanding(self) -> int:
        """The number of messages without an answer."""
        return len(self._awaited)

    @property
    def room(self) -> int:
        """The number of messages that can be sent now."""
        if self.transport is None or self._finishing:
            return 0
        room = self._pipeline - len(self._awaited)
        return min(room, self._most - self._sent) if self._most else room

    def ping(self, due: float) -> None:
        """Send the next message, which was ``due`` then; there must be room for it."""
        assert self.transport is not None
        message = self._exchange.message(self._sent)
        self._sent += 1
        self._awaited.append((due, message))
        self.transport.write(message)

    def dataReceived(self, data: bytes) -> None:
        """Verify answers."""
        received = self._received
        received += data
        while received and self.transport is not None:
            if not self._awaited:
                self._fail("the server sent more than answers")
                return
            due, message = self._awaited[0]
            try:
                length = self._exchange.length(received, message)
            except WrongAnswer as problem:
                self._fail(str(problem))
                return
            if not length:
                return
            del received[:length]
            self._awaited.popleft()
            self._answered(self, due)
            if self._sent == self._most and not self._awaited:
                self.finish()
            elif self._finishing:
                self._close_when_answered()

    def finish(self) -> None:
        """Send no more, and close when everything has been answered."""
        if not self._finishing:
            self._finishing = True
            self._close_when_answered()

    def _close_when_answered(self) -> None:
        if self.transport is not None and not self._awaited and not self.complete:
            self.complete = True
            self._closing()
            self.transport.loseConnection()

    def _fail(self, detail: str) -> None:
        assert self.transport is not None
        self.transport.abort(CloseReason(Cause.PROTOCOL_ERROR, detail))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Send no more."""
        self.transport = None
        self._awaited.clear()
