"""A TLS peer that shares no code with Twisted: the standard library's ``ssl``, in memory."""

from __future__ import annotations

import contextlib
import ssl

from tlsdemo.testing.temporary_certificates import temporary_certificates


class SSLPeer:
    """A TLS client or server, over nothing but bytes.

    It completes the handshake as bytes are delivered, reads all that it can, and raises nothing:
    a handshake that fails is an :attr:`error`.

    Args:
        context: Whether this is a client or a server follows from its protocol.  It is changed so
            that an end without close_notify is an error, as it is not with every Python.
        server_name: For a client, the name that it asks for and verifies.
        session: For a client, the session to resume.

    Attributes:
        tls: The `ssl.SSLObject`, to inspect what was negotiated.
        complete: Whether the handshake is complete at this end.
        received: What has been decrypted so far.
        closed: Whether the other end has sent close_notify.
        error: What stopped the handshake or the connection, or None.
        connected: Whether the wire has not been disconnected.
        disconnecting: Whether it is to be disconnected: see :meth:`disconnect`.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_name: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        # Python 3.11.2, that of Debian 12, sets it.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        self.tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=context.protocol is ssl.PROTOCOL_TLS_SERVER,
            server_hostname=server_name,
            session=session,
        )
        self.complete = False
        self.closed = False
        self.error: ssl.SSLError | None = None
        self.received = b""
        self.connected = True
        self.disconnecting = False
        self._advance()

    @classmethod
    def client(cls, server_name: str = "localhost") -> SSLPeer:
        """Make a client that trusts :func:`temporary_certificates` and presents one of them."""
        certificates = temporary_certificates()
        context = ssl.create_default_context(cafile=certificates.authority)
        assert certificates.client.certificate is not None
        context.load_cert_chain(certificates.client.certificate, certificates.client.key)
        return cls(context, server_name=server_name)

    @classmethod
    def server(cls, *, require_certificate: bool = False) -> SSLPeer:
        """Make a server for ``localhost``, with one of :func:`temporary_certificates`."""
        certificates = temporary_certificates()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.authority)
        assert certificates.server.certificate is not None
        context.load_cert_chain(certificates.server.certificate, certificates.server.key)
        if require_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
        return cls(context)

    def deliver(self, data: bytes) -> None:
        """Receive ``data`` from the wire."""
        self._incoming.write(data)
        self._advance()

    def take(self) -> bytes:
        """Return what is to go over the wire."""
        return self._outgoing.read()

    def write(self, *records: bytes) -> None:
        """Encrypt and send each of ``records`` as a TLS record of its own.

        Raises:
            ssl.SSLWantReadError: If the handshake is not complete.
        """
        for record in records:
            self.tls.write(record)

    def close(self) -> None:
        """Send close_notify; the wire stays connected."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()

    def disconnect(self) -> None:
        """Disconnect the wire when all has been sent, without close_notify."""
        self.disconnecting = True

    def turn(self) -> None:
        """Disconnect if that was requested."""
        if self.disconnecting and not self._outgoing.pending:
            self.connected = False

    def lose(self, _reason: Exception) -> None:
        """Be disconnected; without close_notify before it, that is an :attr:`error`."""
        if self.connected:
            self.connected = False
            self._incoming.write_eof()
            self._advance()

    def _advance(self) -> None:
        try:
            if not self.complete:
                self.tls.do_handshake()
                self.complete = True
            while data := self.tls.read(1 << 16):
                self.received += data
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            self.error = error
