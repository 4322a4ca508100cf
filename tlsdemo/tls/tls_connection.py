"""The OpenSSL connection of every mode, which can coalesce, hold back and count records.

Theory of operation.  After each read of the wire, Twisted's TLS layer calls ``recv()`` in a loop
and delivers every result; OpenSSL's ``SSL_read`` returns at most one record.  All cleartext of
every mode passes through that loop, and a connection creator may return any subclass of
:class:`OpenSSL.SSL.Connection`.  So ``recv()`` here implements the kinds of delivery, without using
any private name of Twisted.

An error that follows records in one coalesced read must not overtake them: it is kept, and raised
by the next call.  So is the news that there is nothing more, until more comes from the wire.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError
from twisted.protocols.tls import TLSMemoryBIOProtocol

from tlsdemo.tls.handshake_observation import HandshakeObservation, observe
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.openssl_io import IO
from tlsdemo.tls.openssl_output import ENCRYPT
from tlsdemo.tls.wire_buffers import release

_MAX_WITHOUT_DATA = 1 << 15
"""Bytes of whole records after which some must have contained application data.

Others cost CPU time all the same: a KeyUpdate (RFC 8446, section 4.6.3) takes both ends new keys,
and OpenSSL neither limits nor reports them.  The limit is looked at after each read of the wire.
"""

_MAX_ANSWERED = 1 << 17
"""Bytes that OpenSSL may answer by itself, and one more for every 16 records that have come.

It answers a KeyUpdate that requests it, and in TLS 1.2 an attempt to renegotiate.  A peer that does
not read would have the transport keep all the answers, which no producer stands for.
"""

_FLIGHT = 1 << 15
"""Bytes to read at once for the wire: more than nearly all flights of a handshake have."""

_ENCRYPTED = 1024
"""Records to encrypt before they are read: OpenSSL's buffer for the wire grows by copying."""

_TOO_MANY_MESSAGES = "too many messages without application data, such as KeyUpdates"
_TOO_MANY_ANSWERS = "too many messages that have to be answered"


class TLSConnection(SSL.Connection):
    """A memory-BIO connection whose ``recv()`` supports every kind of delivery.

    Attributes:
        coalesce: Whether ``recv()`` returns everything that can be decrypted now, instead of one
            record.
        held: Whether ``recv()`` returns nothing, even if there is something.
        silent: Whether this is a server's, and nothing has arrived: no byte of a ClientHello.
        records: How many records of application data have been decrypted.
        viewed: See :class:`~tlsdemo.tls.wire_input.WireInput`.
        observation: Reports the handshake to an observer, if there is one that wants details.
        required_alpn: The protocol that a server has to select by ALPN (RFC 7301), or to send the
            alert no_application_protocol; ``b""`` for any or none.
        at_close_notify: Called when the peer's close_notify has been read; returns whether the
            TLS layer must not learn of it yet.
        sent_by_layer: Whether the TLS layer sends what the application writes, so that it cannot be
            told from OpenSSL's own answers.
        at_failure: Called with what the TLS layer fails with, once the handshake is complete.
        name_error: Why the peer's certificate is not valid for the expected name, if so.
    """

    observation: HandshakeObservation | None
    _verify_error = 0
    _io = IO
    _encrypt_part = staticmethod(ENCRYPT)
    _wire_open = True
    sent_by_layer = False

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
        self.silent = not is_client
        self.viewed: bytes | None = None
        self._without_data = 0
        self._answered = 0
        self.records = 0
        self.required_alpn = b""
        self.name_error: Exception | None = None
        self.at_close_notify: Callable[[], bool] | None = None
        self.at_failure: Callable[[SSL.Error], object] | None = None
        self._verify_name = verify_name
        self._kept: SSL.Error | None = None
        self._raised: SSL.Error | None = None
        # Of the instance, because every record looks it up.
        self.observation = observe(observer, self, is_client)

    @property
    def verify_error(self) -> int:
        """The ``X509_V_ERR_`` number of the verification's error; 0 if there was none."""
        return self._verify_error

    def reject_chain(self, number: int) -> None:
        """Note that the peer's chain was rejected, with its ``X509_V_ERR_`` number."""
        self._verify_error = number
        if self.observation is not None:
            self.observation.chain_rejected(number)

    def do_handshake(self) -> None:
        """Continue the handshake.

        A close_notify before it is complete is reported as an unexpected end of file: at
        ``ZeroReturnError``, Twisted's TLS layer would fail with an IndexError.
        """
        if self.observation is not None:
            self.observation.handshake_resumed()
        elif self.silent:
            # Twisted begins before anything has come, and OpenSSL would allocate 30 KiB to wait.
            raise SSL.WantReadError
        try:
            super().do_handshake()
        except SSL.ZeroReturnError:
            raise SSL.SysCallError(-1, "Unexpected EOF") from None
        self._without_data = self._answered = 0
        if self.observation is not None:
            self.observation.handshake_completed()

    @property
    def has_close_notify(self) -> bool:
        """Whether the peer's close_notify has been read."""
        return bool(self.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    @property
    def wants_name(self) -> bool:
        """Whether :meth:`verify_name` has to be called with the peer's certificate."""
        return self._verify_name is not None

    def verify_name(self, certificate: X509 | None) -> bool:
        """Verify the name that a client expects of its server; OpenSSL verifies the chain only.

        Return whether it is right, or no name is expected; if not, ``name_error`` is the reason.
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
                # Any exception: pyOpenSSL would raise it later, perhaps for another connection.
                # Without the traceback, which would form a reference cycle.
                self.name_error = error.with_traceback(None)
        good = self.name_error is None
        if self.observation is not None:
            self.observation.name_verified(certificate, good)
        return good

    def bio_write(self, buf: Any) -> int:
        """Receive bytes from the wire; ``b""`` is allowed, and does nothing.

        The TLS layer's public ``dataReceived(b"")`` makes it deliver what has been held back.
        """
        if self.observation is not None:
            self.observation.received(bytes(buf))
        if not buf:
            return 0
        self.silent = False
        self._without_data += len(buf)
        self._forget_waiting()
        return self._io.from_wire(self, buf)

    def bio_shutdown(self) -> None:
        """Note that nothing more will come from the wire: that is an error now, not a wait."""
        self._wire_open = False
        self._forget_waiting()
        super().bio_shutdown()

    def _forget_waiting(self) -> None:
        if isinstance(self._kept, SSL.WantReadError):
            self._kept = None

    def bio_read(self, bufsiz: int) -> bytes:
        """Return bytes for the wire, or raise WantReadError if there are none."""
        try:
            data = self._io.for_wire(self, bufsiz)
        except SSL.WantReadError:
            if self.observation is not None:
                self.observation.nothing_to_send()
            raise
        self._answered += len(data)
        if self.observation is not None:
            self.observation.sent(data)
        return data

    def encrypt(self, data: bytes, times: int) -> bytes:
        """Return ``data`` so many times, each encrypted as a record; it must fit into one.

        That has to be sent before anything else that OpenSSL has for the wire: records are numbered
        (RFC 8446, section 5.3).
        """
        parts = []
        while times > 0:
            now = min(times, _ENCRYPTED)
            times -= now
            self._io.encrypt(self, data, now)
            with contextlib.suppress(SSL.WantReadError):
                while True:
                    parts.append(self.bio_read(_FLIGHT))
        encrypted = b"".join(parts)
        self._answered -= len(encrypted)
        return encrypted

    def recv(self, bufsiz: int, flags: int | None = None) -> bytes:
        """Decrypt one record, or all there are (``coalesce``), or none (``held``)."""
        if self.held:
            raise SSL.WantReadError
        try:
            if self.coalesce:
                data = self._drain()
            else:
                data = self._io.receive(self, bufsiz)
                self.records += 1
        except SSL.ZeroReturnError:
            if self.observation is not None:
                self.observation.no_data_received()
            if self.at_close_notify is not None and self.at_close_notify():
                raise SSL.WantReadError from None
            raise
        except SSL.WantReadError:
            if self.observation is not None:
                self.observation.no_data_received()
            # Before a call: nearly every read ends here.
            many = self._without_data > _MAX_WITHOUT_DATA or self._answered > _MAX_ANSWERED
            if many and (problem := self._excess()):
                self._raised = SSL.Error([("SSL routines", "", problem)])
                self._failed(self._raised)
                raise self._raised from None
            raise
        except SSL.Error as error:
            if self.observation is not None:
                self.observation.no_data_received()
            self._raised = error
            self._failed(error)
            raise
        self._without_data = 0
        if self.observation is not None:
            self.observation.confirmed()
        return data

    def encrypt_part(self, data: bytes, start: int, end: int) -> tuple[int, bytes]:
        """Encrypt ``data[start:end]``, in records that are full but for the last.

        Return where OpenSSL stopped, and the bytes for the wire.  What it did not take must be sent
        by the TLS layer, and so must all that follows.
        """
        stopped, wire = self._encrypt_part(self, data, start, end)
        if wire and self.observation is not None:
            self.observation.sent(wire)
        return stopped, wire

    def release_buffers(self) -> None:
        """Free the buffers that are empty: for a while, nothing is expected."""
        # What is behind the end of the wire is known only to the buffer that it was read from.
        if self._wire_open:
            release(self)

    def wire_ended(self) -> None:
        """Note that the wire has ended, so that nothing can be sent any more."""
        if self.observation is not None:
            self.observation.wire_ended = True

    def _excess(self) -> str:
        """Return what the peer has sent too many of, if anything."""
        if self._without_data > _MAX_WITHOUT_DATA:
            return _TOO_MANY_MESSAGES
        too_many = self._answered > _MAX_ANSWERED + self.records // 16 and not self.sent_by_layer
        return _TOO_MANY_ANSWERS if too_many else ""

    def _failed(self, error: SSL.Error) -> None:
        if self.at_failure is not None:
            self.at_failure(error)

    def _drain(self) -> bytes:
        if self._kept is not None:
            raise self._take_kept()
        data, records, self._kept = self._io.drain(self)
        self.records += records
        return data

    def _take_kept(self) -> SSL.Error:
        # Not a local variable where it is raised, as that would be a reference cycle.
        kept = self._kept
        assert kept is not None
        self._forget_waiting()
        return kept

    def break_cycles(self) -> None:
        """Break the reference cycles of this, when nothing more will be received.

        Twisted keeps a failure in a local variable of a call that is in the failure's traceback.
        Such a cycle keeps everything in that call alive until the next garbage collection.
        """
        self.at_close_notify = self.at_failure = None
        if self.observation is not None:
            self.observation.over()
        raised, self._raised, self._kept = self._raised, None, None
        if raised is not None:
            traceback.clear_frames(raised.__traceback__)

    def flush_into(self, layer: TLSMemoryBIOProtocol) -> None:
        """Write to the layer's transport everything that OpenSSL has for the wire.

        Twisted calls ``handshakeCompleted`` before it has written the last flight.
        """
        while True:
            try:
                ready = self.bio_read(_FLIGHT)
            except SSL.WantReadError:
                return
            layer.transport.write(ready)  # type: ignore[union-attr]
            if self.observation is None and len(ready) < _FLIGHT:
                return
