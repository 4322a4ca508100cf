"""The application of one load connection: sends packets as fast as flow control allows."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.tls import Stream


@implementer(IPushProducer)
class Sender(Protocol):
    """Waits to be told to :meth:`begin`, then writes ``packet`` again and again.

    Each packet is a write of its own.  It writes in :meth:`burst` when it is its turn; ``ready``
    is called with it whenever it wants one.  After ``packets`` of them (0: until :meth:`finish`)
    it closes in order, and says so by ``closing``.
    """

    transport: Stream | None

    def __init__(
        self,
        packet: bytes,
        packets: int,
        ready: Callable[[Sender], object],
        closing: Callable[[], object],
    ) -> None:
        self._packet = packet
        self._left = packets if packets else -1
        self._ready = ready
        self._closing = closing
        self._paused = False
        self._sending = False
        self.sent_all = False

    @property
    def can_send(self) -> bool:
        """Whether there is something to send, and room for it."""
        return self._sending and not self._paused

    def begin(self) -> None:
        """Start to send."""
        if self.transport is not None and not self.sent_all:
            self._sending = True
            self.transport.registerProducer(self, True)
            self._ready(self)

    def burst(self, most: int) -> None:
        """Write up to ``most`` packets, or as many as there is room for."""
        if self.transport is None:
            return
        write = self.transport.write
        packet = self._packet
        while most and self._left and self._sending and not self._paused:
            write(packet)
            most -= 1
            self._left -= 1
        if not self._left:
            self.finish()

    def finish(self) -> None:
        """Send no more, and close once all that was written has gone."""
        if self.transport is None or self.sent_all:
            return
        self.sent_all = True
        if self._sending:
            self._sending = False
            self.transport.unregisterProducer()
        self._closing()
        self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """The wire is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The wire has room."""
        self._paused = False
        if self._sending:
            self._ready(self)

    def stopProducing(self) -> None:
        """The connection is gone; ``connectionLost`` comes by itself."""
        self._sending = False

    def dataReceived(self, data: bytes) -> None:
        """Take what a server answers; the stream counts it."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Send no more."""
        self._sending = False
        self.transport = None
