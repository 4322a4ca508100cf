"""Encrypting what is written when the wire has room for it."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.tls.joined_writes import JoinedWrites
from tlsdemo.tls.openssl_io import MAX_RECORD
from tlsdemo.tls.tls_connection import TLSConnection

PORTION = 4 * MAX_RECORD
"""Bytes that are encrypted at a time, and given to the transport with one ``write``."""


@implementer(IPushProducer)
class PacedSender:
    """Encrypts what is written, and gives it to the transport below the TLS layer.

    Theory of operation.  Of one large write, the transport would keep all the bytes of the wire,
    and copy them more than once.  So this is the transport's producer: a write is encrypted in
    portions, and what comes after a pause waits, in the clear, until the transport has room.  A
    producer of the application is paused and resumed with this; it is resumed when nothing waits.

    At the end (:meth:`finish`) nothing waits any more: the transport gets all the rest, so that
    close_notify comes behind it.

    If OpenSSL does not take everything, the TLS layer gets the rest and all that follows: it keeps
    that during a renegotiation (TLS 1.2), and ends the connection at an error.

    Attributes:
        joined: What joins small writes before they are sent, if anything does.
    """

    __slots__ = (
        "_connection",
        "_full",
        "_layer",
        "_producer",
        "_pulling",
        "_registered",
        "_waiting",
        "joined",
    )

    def __init__(self, layer: TLSMemoryBIOProtocol, connection: TLSConnection) -> None:
        self._layer: Any = layer
        self._connection = connection
        self._waiting: list[tuple[bytes, int, int]] = []
        self._full = False
        self._registered = False
        self._producer: Any = None
        # A producer that is pulled has the layer's own adapter; then nothing is paced.
        self._pulling = False
        self.joined: JoinedWrites | None = None

    def send(self, data: bytes, size: int | None = None) -> None:
        """Send ``data``, or its first ``size`` bytes, after all that was sent before."""
        if size is None:
            size = len(data)
        if size <= PORTION and not self._waiting:
            self._encrypt(data, 0, size)
            return
        if not isinstance(data, bytes):
            # It may change before it is sent.
            data = bytes(memoryview(data))
        self._waiting.append((data, 0, size))
        if len(self._waiting) == 1:
            self._register()
            # A layer that has ended stops its producer at once, so that nothing waits any more.
            if self._waiting:
                # Not even its first portion is held back if the wire is full, as Twisted holds back
                # nothing.
                self._send_portion()
                self._send_waiting()

    def join(self, clock: IReactorTime | None) -> JoinedWrites | None:
        """Return what joins small writes until the next turn of ``clock``, if there is one."""
        if clock is not None:
            self.joined = JoinedWrites(self.send, clock)
        return self.joined

    def register(self, producer: Any, streaming: bool) -> None:
        """Pause ``producer`` whenever the wire cannot take more."""
        if streaming and self._producer is None and not self._pulling:
            self._producer = producer
            self._register()
            if self._waiting or self._full:
                producer.pauseProducing()
            return
        if not streaming:
            self.finish()
            self._pulling = True
        self._layer.registerProducer(producer, streaming)

    def unregister(self) -> None:
        """Stop pausing and resuming the application's producer."""
        self._producer = None
        if self._pulling:
            self._pulling = False
            self._layer.unregisterProducer()
        elif not self._waiting:
            self._unregister()

    def finish(self) -> None:
        """Give the transport all that was written, whether it has room or not."""
        if self.joined is not None:
            self.joined.flush()
        while self._waiting:
            self._send_portion()
        if self._producer is None:
            self._unregister()

    def drop(self) -> None:
        """Send nothing that waits, and join no more writes."""
        if self.joined is not None:
            self.joined.close()
        self._waiting.clear()

    def close(self) -> None:
        """Drop every reference that forms a cycle, when the layer has ended."""
        self.drop()
        self._producer = None
        self._pulling = self._registered = False
        self._layer.unregisterProducer()

    # What the transport calls.

    def pauseProducing(self) -> None:
        """Let the rest of a large write wait, and pause the application's producer."""
        self._full = True
        if self._producer is not None:
            self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """Send what waits, as far as there is room; then resume the application's producer."""
        self._full = False
        self._send_waiting()
        if self._producer is not None and not self._waiting and not self._full:
            self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """Stop the application's producer: the connection is lost."""
        self.drop()
        if self._producer is not None:
            self._producer.stopProducing()

    # The rest is our own.

    def _register(self) -> None:
        if not self._registered and not self._pulling:
            self._registered = True
            self._layer.registerProducer(self, True)

    def _unregister(self) -> None:
        self._full = False
        if self._registered:
            self._registered = False
            self._layer.unregisterProducer()

    def _send_waiting(self) -> None:
        while self._waiting and not self._full:
            self._send_portion()
        if not self._waiting and self._producer is None and not self._full:
            self._unregister()

    def _send_portion(self) -> None:
        """Send the next portion of what waits."""
        data, start, size = self._waiting.pop(0)
        end = min(start + PORTION, size)
        # First, as the transport may call this within its own write.
        if end < size:
            self._waiting.insert(0, (data, end, size))
        self._encrypt(data, start, end)

    def _encrypt(self, data: bytes, start: int, end: int) -> None:
        if not self._connection.sent_by_layer:
            start, wire = self._connection.encrypt_part(data, start, end)
            if wire:
                self._layer.transport.write(wire)
        if start < end:
            self._connection.sent_by_layer = True
            # The base class's method bypasses the buffering of BufferingTLSTransport.
            TLSMemoryBIOProtocol.write(self._layer, data[start:end])
