"""The application of a load connection, which sends packets as fast as flow control allows."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.tls import RecordWriter

_AT_ONCE = 1 << 16
"""Bytes of packets to write at once, between two looks at whether the transport has paused us."""


@implementer(IPushProducer)
class Sender(LoadApplication):
    """Writes ``packet`` repeatedly, in bursts; each becomes a record, if the stream has a writer.

    After :meth:`begin`, ``ready`` is called with the sender whenever it could write a
    :meth:`burst`.  After ``packets`` packets, or at :meth:`finish` if that is 0, ``closing`` is
    called and the connection is closed cleanly.

    ``prefill``: whether all packets are encrypted as soon as the connection is secure, for
    :meth:`begin` to send at once; that needs a number of packets, and a stream that writes records.
    """

    def __init__(
        self,
        packet: bytes,
        packets: int,
        ready: Callable[[Sender], object],
        closing: Callable[[], object],
        prefill: bool = False,
    ) -> None:
        self._packet = packet
        self._left = packets if packets else -1
        self._ready = ready
        self._closing = closing
        self._prefill = prefill
        self._send_prefilled: Callable[[], None] | None = None
        self._writer: RecordWriter | None = None
        self._paused = False
        self._sending = False

    @property
    def can_send(self) -> bool:
        """Whether there are packets to send, and the transport is not paused."""
        return self._sending and not self._paused

    def connectionMade(self) -> None:
        """Encrypt what is to be prefilled."""
        assert self.transport is not None
        self._writer = self.transport.record_writer()
        if self._prefill and self._writer is not None:
            self._send_prefilled = self._writer.prefill(self._packet, self._left)

    def begin(self) -> None:
        """Start sending, unless an earlier window of the load has."""
        if self.transport is not None and not (self._sending or self.complete):
            self._sending = True
            self.transport.registerProducer(self, True)
            send, self._send_prefilled = self._send_prefilled, None
            if send is not None:
                send()
                self._left = 0
            self._go_on()

    def _go_on(self) -> None:
        """Continue, unless the transport has paused us."""
        if not self.can_send:
            return
        if self._left:
            self._ready(self)
        else:
            self.finish()

    def burst(self, most: int) -> None:
        """Write up to ``most`` packets, until the transport pauses us."""
        if self.transport is None:
            return
        if self._left > 0:
            most = min(most, self._left)
        at_once = max(1, _AT_ONCE // max(1, len(self._packet)))
        while most and self._sending and not self._paused:
            now = min(most, at_once)
            if self._writer is None:
                # They would be joined below, too.
                self.transport.write(self._packet * now)
            else:
                self._writer.write(self._packet, now)
            most -= now
            self._left -= now
        if not self._left:
            self.finish()

    def finish(self) -> None:
        """Stop sending, and close the connection when everything has been written."""
        if self.transport is None or self.complete:
            return
        if self._send_prefilled is not None:
            # What was encrypted before would have to be sent before a close_notify.
            self.transport.abortConnection()
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
        self._go_on()

    def stopProducing(self) -> None:
        """Stop sending: the connection is lost, and ``connectionLost`` will follow."""
        self._sending = False

    def dataReceived(self, data: bytes) -> None:
        """Ignore what the server answers; the stream counts the bytes."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop sending."""
        self._sending = False
        self._writer = self._send_prefilled = None
        self.transport = None
