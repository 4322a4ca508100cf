"""The application of a load connection, which sends packets as fast as flow control allows."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.loadgen.application import LoadApplication

LIST_SIZE = 1 << 16
"""Bytes of the packets that are written with one call; about what flow control lets through."""


@implementer(IPushProducer)
class Sender(LoadApplication):
    """Writes ``packet`` repeatedly, in bursts, each time with a ``write`` of its own.

    But if writes are ``joined`` anyway, it writes lists of up to 64 KiB: a write each costs more
    than all that becomes of it.

    After :meth:`begin`, ``ready`` is called with the sender whenever it could write a
    :meth:`burst`.  After ``packets`` packets, or at :meth:`finish` if that is 0, ``closing`` is
    called and the connection is closed cleanly.
    """

    def __init__(
        self,
        packet: bytes,
        packets: int,
        ready: Callable[[Sender], object],
        closing: Callable[[], object],
        joined: bool = False,
    ) -> None:
        self._packet = packet
        self._left = packets if packets else -1
        self._ready = ready
        self._closing = closing
        self._at_once = max(1, LIST_SIZE // max(1, len(packet))) if joined else 1
        self._paused = False
        self._sending = False

    @property
    def can_send(self) -> bool:
        """Whether there are packets to send, and the transport is not paused."""
        return self._sending and not self._paused

    def begin(self) -> None:
        """Start sending."""
        if self.transport is not None and not self.complete:
            self._sending = True
            self.transport.registerProducer(self, True)
            self._ready(self)

    def burst(self, most: int) -> None:
        """Write up to ``most`` packets, until the transport pauses us."""
        if self.transport is None:
            return
        stream, packet = self.transport, self._packet
        while most and self._left and self._sending and not self._paused:
            count = min(most, self._at_once)
            if self._left > 0:
                count = min(count, self._left)
            most -= count
            self._left -= count
            if self._at_once == 1:
                stream.write(packet)
            else:
                stream.writeSequence([packet] * count)
        if not self._left:
            self.finish()

    def finish(self) -> None:
        """Stop sending, and close the connection when everything has been written."""
        if self.transport is None or self.complete:
            return
        self.complete = True
        if self._sending:
            self._sending = False
            self.transport.unregisterProducer()
        self._closing()
        self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """Stop writing: the transport's buffer is full."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Continue writing."""
        self._paused = False
        if self._sending:
            self._ready(self)

    def stopProducing(self) -> None:
        """Stop sending: the connection is lost, and ``connectionLost`` will follow."""
        self._sending = False

    def dataReceived(self, data: bytes) -> None:
        """Ignore what the server answers; the stream counts the bytes."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop sending."""
        self._sending = False
        self.transport = None
