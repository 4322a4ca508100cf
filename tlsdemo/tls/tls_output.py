"""The half of a TLS stream that sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IProducer, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOProtocol

from tlsdemo.tls.joined_writes import JoinedWrites
from tlsdemo.tls.observer import report_first
from tlsdemo.tls.paced_sender import PacedSender
from tlsdemo.tls.record_writer import RecordWriter
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.stream_state import StreamState
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.transport_options import Send


class TLSOutput(Stream):
    """What a TLS stream does with the bytes that the application writes.

    ``clock`` has joined writes sent, and is needed only for ``Send.BUFFERED``.
    """

    _layer: TLSMemoryBIOProtocol
    _connection: TLSConnection
    _sender: PacedSender

    def __init__(self, setup: StreamSetup, clock: IReactorTime | None) -> None:
        super().__init__(setup)
        self._clock = clock if setup.options.send is Send.BUFFERED else None
        self._joined: JoinedWrites | None = None

    def _send_into(self, layer: TLSMemoryBIOProtocol, connection: TLSConnection) -> None:
        self._sender = PacedSender(layer, connection)
        self._joined = self._sender.join(self._clock)

    @property
    def bytes_out(self) -> int:
        """Bytes of cleartext that the application has written."""
        return self._written if self._joined is None else self._joined.total

    def write(self, data: bytes) -> None:
        """Encrypt and send ``data``; it is dropped once the stream is closed.

        Raises:
            RuntimeError: If the connection is not secure yet.
        """
        send = self._send
        if send is not None:
            self._written += len(data)
            send(data)
        elif self._state is StreamState.CONNECTING:
            raise RuntimeError("nothing can be written before the connection is secure")

    def record_writer(self) -> RecordWriter | None:
        """Return what writes many records at once, if each write is to be a record."""
        raw = self._joined is None
        return RecordWriter(self, self._sender, self._layer, self._connection) if raw else None

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Pause ``producer`` whenever the wire cannot take more."""
        self._has_producer = True
        self._sender.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Stop pausing and resuming the producer."""
        waited = self._producer_done()
        self._sender.unregister()
        if waited and self._state is StreamState.FINISHED:
            self._report_finished()

    # What the actions of the state machine call.

    def _begin_writing(self) -> None:
        attribute, send = "_send", cast("Callable[[bytes], object]", self._sender.send)
        if self._joined is not None:
            # Called for each small write, so without the way through the method of this class.
            attribute, send = "write", self._joined.write
        send = report_first(self._observer, "first bytes out", self, attribute, send)
        setattr(self, attribute, send)

    def _end_writes(self) -> None:
        self._sender.finish()
        self._drop_writes()

    def _drop_writes(self) -> None:
        super()._drop_writes()
        vars(self).pop("write", None)
        self._sender.drop()
