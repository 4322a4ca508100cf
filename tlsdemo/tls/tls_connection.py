"""The OpenSSL connection of every mode: it can drain, hold back, and count records.

Theory of operation.  Twisted's TLS layer calls ``recv()`` in a loop after each read of the wire
and hands every result to the application; OpenSSL's ``SSL_read`` returns at most one record.
That loop is the one place through which all cleartext passes in every mode, and it is public:
a connection creator may return any subclass of :class:`OpenSSL.SSL.Connection`.  So what differs
between the deliveries is decided in ``recv()`` here, and no private name of Twisted is touched.

An error that follows records in the same drain must not overtake them: it is kept, and raised by
the next call.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError
from twisted.protocols.tls import TLSMemoryBIOProtocol

from tlsdemo.tls.handshake_observation import HandshakeObservation
from tlsdemo.tls.observer import Observer

_MOST_OF_A_DRAIN = 1 << 18
"""Bytes after which a drain is handed on although more may wait; a read of a socket brings less."""


_MOST_OF_A_RECORD = 1 << 14
"""Bytes of cleartext in a record at the most (RFC 8446, section 5.1)."""


def _make_receive() -> Callable[[SSL.Connection, int], bytes]:
    """Return what decrypts one record: what pyOpenSSL's ``recv`` does, without its costs.

    ``recv`` allocates 32 KiB and asks all its callbacks for problems, for every record; with tiny
    records that is most of what a proxy spends.  This reads into one buffer, and asks only when
    there is no data.  It is for one thread, as all of Twisted is.  The names are pyOpenSSL's own;
    where a version has them no more, its ``recv`` has to do.
    """
    try:
        buffer = SSL._ffi.new("char[]", _MOST_OF_A_RECORD)  # type: ignore[attr-defined]
        decrypted = SSL._ffi.buffer(buffer)  # type: ignore[attr-defined]
        ssl_read = SSL._lib.SSL_read  # type: ignore[attr-defined]
        _ = SSL.Connection._raise_ssl_error
    except AttributeError:
        return SSL.Connection.recv

    def receive(connection: SSL.Connection, bufsiz: int) -> bytes:
        ssl = connection._ssl
        got = ssl_read(ssl, buffer, min(bufsiz, _MOST_OF_A_RECORD))
        if got > 0:
            data: bytes = decrypted[:got]
            return data
        connection._raise_ssl_error(ssl, got)
        raise SSL.WantReadError

    return receive


_receive = _make_receive()


class TLSConnection(SSL.Connection):
    """A memory-BIO connection whose ``recv()`` serves the three deliveries.

    ``coalesce``: return everything that can be decrypted now, instead of one record.
    ``held``: return nothing, whatever is there, until it is set back to ``False``.
    ``records``: how many application data records have been decrypted.
    ``observation``: what reports its handshake, if it is observed.
    ``at_close_notify``: called when the peer's close_notify is found.
    ``name_error``: why the peer's certificate is not for the name that we expect, if it is not.
    """

    observation: HandshakeObservation | None = None
    _verify_error = 0

    def __init__(
        self,
        context: SSL.Context,
        verify_name: Callable[[X509], None] | None = None,
        observer: Observer | None = None,
        is_client: bool = False,
    ) -> None:
        super().__init__(context, None)
        # OpenSSL may still call its callbacks when an SNI callback has chosen another context,
        # and pyOpenSSL keeps only that one.  Twisted overwrites the app data.
        self._first_context = context
        self.coalesce = False
        self.held = False
        self.records = 0
        self.name_error: Exception | None = None
        self.at_close_notify: Callable[[], object] | None = None
        self._verify_name = verify_name
        self._kept: SSL.Error | None = None
        self._raised: SSL.Error | None = None
        if observer is not None and observer.detailed:
            self.observation = HandshakeObservation(observer, self, is_client)

    @property
    def verify_error(self) -> int:
        """The ``X509_V_ERR_`` number that the verification ended with, 0 if none."""
        return self._verify_error

    def reject_chain(self, number: int) -> None:
        """Note why the chain of the peer's certificate has been rejected."""
        self._verify_error = number
        if self.observation is not None:
            self.observation.chain_rejected(number)

    def do_handshake(self) -> None:
        """Go on with the handshake.

        A peer that sends close_notify before it is complete counts as one that hung up: Twisted's
        TLS layer fails with an IndexError at ``ZeroReturnError`` here.
        """
        if self.observation is not None:
            self.observation.handshake_resumed()
        try:
            super().do_handshake()
        except SSL.ZeroReturnError:
            raise SSL.SysCallError(-1, "Unexpected EOF") from None

    def verify_name(self, certificate: X509 | None) -> bool:
        """Verify what OpenSSL does not: a client's expectation of the server's name.

        Return whether it is met, or nothing is expected; if not, ``name_error`` says why.
        """
        verify, self._verify_name = self._verify_name, None
        if verify is None and self.observation is None:
            return self.name_error is None
        if verify is not None:
            try:
                if certificate is None:
                    raise CertificateError("there is none")
                verify(certificate)
            except Exception as error:
                # Of any kind: pyOpenSSL would raise it later, and maybe for another connection.
                # Its traceback would hold this, which holds it.
                self.name_error = error.with_traceback(None)
        good = self.name_error is None
        if self.observation is not None:
            self.observation.name_verified(certificate, good, verify is not None)
        return good

    def bio_write(self, buf: Any) -> int:
        """Take bytes from the wire; none at all is allowed, and does nothing.

        An empty write is how a held connection is asked, through the TLS layer's public
        ``dataReceived``, to deliver what it has held back.
        """
        if self.observation is not None:
            self.observation.received(bytes(buf))
        return super().bio_write(buf) if buf else 0

    def bio_read(self, bufsiz: int) -> bytes:
        """Return bytes for the wire; raises WantReadError if there are none."""
        if self.observation is None:
            return super().bio_read(bufsiz)
        try:
            data = super().bio_read(bufsiz)
        except SSL.WantReadError:
            self.observation.nothing_to_send()
            raise
        self.observation.sent(data)
        return data

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Decrypt: one record, or all that there are (``coalesce``), or none (``held``)."""
        if self.held:
            raise SSL.WantReadError
        try:
            if self.coalesce:
                data = self._drain(bufsiz)
            else:
                data = _receive(self, bufsiz)
                self.records += 1
        except SSL.ZeroReturnError:
            if self.at_close_notify is not None:
                self.at_close_notify()
            raise
        except SSL.WantReadError:
            raise
        except SSL.Error as error:
            self._raised = error
            raise
        if self.observation is not None:
            self.observation.confirmed()
        return data

    def wire_ended(self) -> None:
        """Note that the wire has ended, after which nothing can be written."""
        if self.observation is not None:
            self.observation.wire_ended = True

    def _drain(self, bufsiz: int) -> bytes:
        if self._kept is not None:
            raise self._kept
        chunks: list[bytes] = []
        size = 0
        try:
            while size < _MOST_OF_A_DRAIN:
                chunk = _receive(self, bufsiz)
                size += len(chunk)
                chunks.append(chunk)
        except SSL.WantReadError:
            if not chunks:
                raise
        except SSL.Error as error:
            if not chunks:
                raise
            self._kept = error
        self.records += len(chunks)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def over(self) -> None:
        """Let go of all that holds this, when nothing more will come.

        Twisted keeps a failure in a variable of the very call that it is the traceback of, and so
        all that had to do with that call, until the collector finds it.
        """
        self.at_close_notify = None
        if self.observation is not None:
            self.observation.over()
        raised, self._raised, self._kept = self._raised, None, None
        if raised is not None:
            traceback.clear_frames(raised.__traceback__)

    def flush_into(self, layer: TLSMemoryBIOProtocol) -> None:
        """Write to the layer's transport what OpenSSL has ready for the wire.

        Twisted calls ``handshakeCompleted`` before it has written the last flight; this is how
        ``secure`` can promise that it has been.
        """
        while True:
            try:
                ready = self.bio_read(1 << 15)
            except SSL.WantReadError:
                return
            layer.transport.write(ready)  # type: ignore[union-attr]
