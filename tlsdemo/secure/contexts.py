"""TLS settings, built once per service, from which each connection is made.

Contexts are slow to build and leak when they are built per connection, so a :class:`ServerTLS` or
:class:`ClientTLS` is made once and handed to every mode: it is the connection creator that
``transport.startTLS``, ``TLSMemoryBIOFactory`` and ``SecurePair`` take alike.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import cast

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.credentials import Credentials
from tlsdemo.secure.connection import TLSConnection

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites: forward secrecy and AEAD only (RFC 9325, section 4.2); 1.3 has no others."""


class ClientAuth(enum.Enum):
    """What a server demands of its clients: a certificate, whatever they show, or nothing."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


_VERIFY_MODES = {
    ClientAuth.REQUIRED: SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
    ClientAuth.OPTIONAL: SSL.VERIFY_PEER,
    ClientAuth.NONE: SSL.VERIFY_NONE,
}


class Unusable(Exception):
    """OpenSSL cannot use the credentials; the text is one line that says why."""


def _verify(
    connection: SSL.Connection, certificate: X509, number: int, depth: int, ok: int
) -> bool:
    ours = cast(TLSConnection, connection)
    if not ok:
        ours.verify_error = number
        return False
    # The name as well, now: nothing that proves who we are has been sent yet.
    return depth > 0 or ours.verify_name(certificate)


def _build(credentials: Credentials, verify: int) -> SSL.Context:
    try:
        return _new_context(credentials, verify)
    except SSL.Error as error:
        said = "; ".join(each[-1] for each in error.args[0]) if error.args else str(error)
        files = ", ".join(str(path) for path in vars(credentials).values() if path is not None)
        raise Unusable(f"OpenSSL cannot use {files}: {said}") from error


def _new_context(credentials: Credentials, verify: int) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(CIPHERS.encode())
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    # Buffers of idle connections would cost 16 KiB in each direction.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    if credentials.certificate is not None and credentials.key is not None:
        context.use_certificate_chain_file(str(credentials.certificate))
        context.use_privatekey_file(str(credentials.key))
        context.check_privatekey()
    if credentials.authority is not None:
        context.load_verify_locations(str(credentials.authority))
    else:
        context.set_default_verify_paths()
    context.set_verify(verify, _verify)
    return context


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """The TLS side that a server takes.

    ``context`` is any server context; :meth:`build` makes one with good defaults.
    """

    is_client = False

    def __init__(self, context: SSL.Context) -> None:
        self._context = context

    @classmethod
    def build(
        cls,
        credentials: Credentials,
        client_auth: ClientAuth = ClientAuth.REQUIRED,
        alpn: Sequence[str] = (),
    ) -> ServerTLS:
        """Make the context from ``credentials``: TLS 1.2 and 1.3, forward secrecy, AEAD.

        ``alpn`` lists the protocols to select from, the preferred one first; a client that
        offers only others goes on without (RFC 7301 would let us end the handshake).
        Raises :class:`Unusable` if OpenSSL cannot use the files.
        """
        context = _build(credentials, _VERIFY_MODES[client_auth])
        # Resuming a session that carries a client certificate needs a context to tell it by.
        context.set_session_id(b"tlsdemo")
        if credentials.authority is not None and client_auth is not ClientAuth.NONE:
            context.load_client_ca(str(credentials.authority).encode())
        preferred = [name.encode() for name in alpn]

        def select(_connection: SSL.Connection, offered: list[bytes]) -> bytes | object:
            # Without a callback that answers so, Twisted 26 kills the handshake of any client
            # that offers ALPN at all.
            common = (name for name in preferred if name in offered)
            return next(common, SSL.NO_OVERLAPPING_PROTOCOLS)

        context.set_alpn_select_callback(select)  # type: ignore[arg-type]
        return cls(context)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer."""
        return TLSConnection(self._context)


@implementer(IOpenSSLClientConnectionCreator)
class ClientTLS:
    """The TLS side that a client takes: it verifies the server's chain and its name.

    ``context`` is any client context that verifies; ``server_name`` is the DNS name or the IP
    address that the server's certificate has to be valid for (RFC 9525), by service-identity.
    With a context that :meth:`build` has made, the name is verified before a client certificate
    is sent; with any other, when the handshake is complete.  ``ValueError`` for a name that is
    none.
    """

    is_client = True

    def __init__(self, context: SSL.Context, server_name: str) -> None:
        self._context = context
        # RFC 6066, section 3: literal addresses are not permitted in SNI.
        self._sni: bytes | None = None
        self._identity: DNS_ID | IPAddress_ID
        try:
            self._identity = IPAddress_ID(server_name)
        except ValueError:
            self._identity = DNS_ID(server_name)
            # Asked for by the very name that is verified.
            self._sni = self._identity.hostname.decode("ascii").encode("idna")

    @classmethod
    def build(
        cls, credentials: Credentials, server_name: str, alpn: Sequence[str] = ()
    ) -> ClientTLS:
        """Make the context from ``credentials``, whose authority must have issued the server's.

        Without an authority, those that the system trusts.  Raises :class:`Unusable` if OpenSSL
        cannot use the files, ``ValueError`` for a name that is none.
        """
        context = _build(credentials, SSL.VERIFY_PEER)
        if alpn:
            context.set_alpn_protos([name.encode() for name in alpn])
        return cls(context, server_name)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer."""
        connection = TLSConnection(self._context, self._verify_name)
        if self._sni is not None:
            connection.set_tlsext_host_name(self._sni)
        return connection

    def _verify_name(self, certificate: X509) -> None:
        patterns = extract_patterns(certificate.to_cryptography())
        verify_service_identity(patterns, [self._identity], [])
