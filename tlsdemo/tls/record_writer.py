"""Writes many equal records at once, as a load does, for a fraction of what single writes cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from tlsdemo.tls.openssl_io import MAX_RECORD
from tlsdemo.tls.tls_connection import TLSConnection


class RecordWriter:
    """Writes to the transport of ``layer``, past the layer, what its connection has encrypted.

    The bytes are counted by ``stream``.  An observer is not told which are the first.
    """

    def __init__(self, stream: Any, layer: Any, connection: TLSConnection) -> None:
        self._stream = stream
        self._layer = layer
        self._connection = connection

    def write(self, data: bytes, times: int) -> None:
        """Send ``data`` so many times, each as a record, or several if it is longer than one."""
        if self._stream.disconnecting:
            return
        try:
            encrypted = self._encrypt(data, times)
        except SSL.Error:
            # The layer fails alike, and ends the connection.
            self._layer.write(data)
            return
        self._stream.bytes_out += len(data) * times
        self._layer.transport.write(encrypted)

    def prefill(self, data: bytes, times: int) -> Callable[[], None]:
        """Encrypt what `write` would send; return a function that sends it all.

        Until that has been called nothing may be written, and the connection can only be aborted.
        If the peer asks for new keys meanwhile (KeyUpdate, RFC 8446, section 4.6.3), OpenSSL
        answers at once, and the peer ends the connection, as the answer has overtaken the records.

        Raises:
            SSL.Error: If nothing can be encrypted any more.
        """
        encrypted = self._encrypt(data, times)

        def send() -> None:
            if not self._stream.disconnecting:
                self._stream.bytes_out += len(data) * times
                self._layer.transport.write(encrypted)

        return send

    def _encrypt(self, data: bytes, times: int) -> bytes:
        if len(data) <= MAX_RECORD:
            return self._connection.encrypt(data, times)
        pieces = [data[at : at + MAX_RECORD] for at in range(0, len(data), MAX_RECORD)]
        return b"".join(self._connection.encrypt(each, 1) for each in pieces * times)
