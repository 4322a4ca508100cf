"""TLS settings, built once per service, from which each connection is made.

Contexts are slow to build and leak when they are built per connection, so a :class:`ServerTLS` or
:class:`ClientTLS` is made once and handed to every mode: it is the connection creator that
``transport.startTLS``, ``TLSMemoryBIOFactory`` and ``SecurePair`` take alike.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from itertools import product
from typing import Protocol as Interface
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

from tlsdemo.certificates.files import Credentials, load_certificates
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.policy import Policy, said
from tlsdemo.tls.server_names import answers_to, names_of
from tlsdemo.tls.tls_connection import TLSConnection

DEFAULT = Policy()


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


class UnusableCredentials(Exception):
    """OpenSSL cannot use the credentials; the text is one line that says why."""


def _verify(
    connection: SSL.Connection, certificate: X509, number: int, depth: int, ok: int
) -> bool:
    ours = cast(TLSConnection, connection)
    if not ok:
        ours.reject_chain(number)
        return False
    # The name as well, now: nothing that proves who we are has been sent yet.
    return depth > 0 or ours.verify_name(certificate)


def _build(credentials: Credentials, verify: int, policy: Policy) -> SSL.Context:
    try:
        return _new_context(credentials, verify, policy)
    except SSL.Error as error:
        files = ", ".join(str(path) for path in vars(credentials).values() if path is not None)
        raise UnusableCredentials(f"OpenSSL cannot use {files}: {said(error)}") from error


def _new_context(credentials: Credentials, verify: int, policy: Policy) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    policy.apply(context)
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


Preparation = Callable[[SSL.Context], object]
"""What is done to each context as it is made, such as having it tell of OpenSSL's states."""


class TLS(Interface):
    """Either end's side of TLS, as the modes take it."""

    @property
    def is_client(self) -> bool:
        """Whether it is a client's."""

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the connection for one TLS layer; ``observer`` sees what happens on it."""


def _server_context(
    credentials: Credentials, client_auth: ClientAuth, alpn: Sequence[str], policy: Policy
) -> SSL.Context:
    context = _build(credentials, _VERIFY_MODES[client_auth], policy)
    # A session that carries a client certificate is resumed only in a context of the same name.
    context.set_session_id(b"tlsdemo")
    # Tickets alone: what they hold is with the client, and no session is kept here.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if credentials.authority is not None and client_auth is not ClientAuth.NONE:
        context.load_client_ca(str(credentials.authority).encode())
    preferred = [name.encode() for name in alpn]

    def select(_connection: SSL.Connection, offered: list[bytes]) -> bytes | object:
        # Without a callback that answers so, Twisted 26 kills the handshake of any client
        # that offers ALPN at all.
        common = (name for name in preferred if name in offered)
        return next(common, SSL.NO_OVERLAPPING_PROTOCOLS)

    context.set_alpn_select_callback(select)  # type: ignore[arg-type]
    return context


def _choose_by_name(
    identities: Sequence[Credentials], contexts: Sequence[SSL.Context]
) -> SSL.Context:
    """Return the first context, which changes to the one that answers to the client's SNI.

    OpenSSL then takes the certificate, the authorities and their names from the other context;
    versions, ciphers, options, verification, ALPN and the keys of tickets stay those of the first.
    All are made alike, so that this makes no difference.
    """
    first, *others = contexts
    # The first is not among them: it would refer to itself by ways that nobody can clean up.
    named = [
        (names_of(load_certificates(each.certificate)[0]), context)
        for each, context in zip(identities, (None, *others), strict=True)
        if each.certificate is not None
    ]

    def choose(connection: SSL.Connection) -> None:
        asked = (connection.get_servername() or b"").decode("ascii", "replace")
        chosen = next((context for names, context in named if answers_to(names, asked)), None)
        if chosen is not None:
            connection.set_context(chosen)

    first.set_tlsext_servername_callback(choose)
    return first


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """The TLS side that a server takes.

    ``context`` is any server context; :meth:`build` makes one with good defaults.  ``again``
    makes one anew from files that are good at a time (timezone-aware), or raises.
    """

    is_client = False

    def __init__(
        self, context: SSL.Context, again: Callable[[datetime], SSL.Context] | None = None
    ) -> None:
        self._context = context
        self._again = again

    @classmethod
    def build(
        cls,
        credentials: Credentials,
        client_auth: ClientAuth = ClientAuth.REQUIRED,
        alpn: Sequence[str] = (),
        *,
        policy: Policy = DEFAULT,
        more: Sequence[Credentials] = (),
        preparations: Sequence[Preparation] = (),
    ) -> ServerTLS:
        """Make the context from ``credentials``: by default TLS 1.2 and 1.3 with forward secrecy.

        ``alpn`` lists the protocols to select from, the preferred one first; a client that
        offers only others goes on without (RFC 7301 would let us end the handshake).
        ``more``: certificates for other names.  The first of all, ``credentials`` included, that
        answers to the name that a client asks for is shown, ``credentials`` if none does or no
        name is asked for.  ``preparations`` are applied to every context, also when the files
        are read anew.
        Raises :class:`UnusableCredentials` if OpenSSL cannot use the files.
        """
        identities = [credentials, *more]

        def make() -> SSL.Context:
            contexts = [_server_context(each, client_auth, alpn, policy) for each in identities]
            for prepare, context in product(preparations, contexts):
                prepare(context)
            return _choose_by_name(identities, contexts) if more else contexts[0]

        def again(now: datetime) -> SSL.Context:
            for each in identities:
                each.check(now)
            return make()

        return cls(make(), again)

    def reload(self, now: datetime) -> None:
        """Read the same files anew, for the connections from now on; existing ones live on.

        ``now``, timezone-aware: when they have to be valid.  Raises
        :class:`~tlsdemo.certificates.files.BadCredentials` or :class:`UnusableCredentials`, one
        line that says which file and why; then all stays as it was.  The keys of the session
        tickets are new as well: a client whose authority is no longer trusted cannot resume.
        """
        if self._again is None:
            raise UnusableCredentials(
                "a context that was made elsewhere has no files to be read anew"
            )
        self._context = self._again(now)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer."""
        return self.make()

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the connection for one TLS layer; ``observer`` sees what happens on it."""
        connection = TLSConnection(self._context, observer=observer)
        # Its callbacks have to live as long as the connection, which forgets it when it changes to
        # another context, as we do when the files are read anew.
        connection.set_app_data(self._context)
        return connection


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
        self._session: SSL.Session | None = None
        self._identity: DNS_ID | IPAddress_ID
        try:
            self._identity = IPAddress_ID(server_name)
        except ValueError:
            self._identity = DNS_ID(server_name)
            # Asked for by the very name that is verified.
            self._sni = self._identity.hostname.decode("ascii").encode("idna")

    @classmethod
    def build(
        cls,
        credentials: Credentials,
        server_name: str,
        alpn: Sequence[str] = (),
        *,
        policy: Policy = DEFAULT,
        preparations: Sequence[Preparation] = (),
    ) -> ClientTLS:
        """Make the context from ``credentials``, whose authority must have issued the server's.

        Without an authority, those that the system trusts.  ``preparations`` are applied to the
        context.  Raises :class:`UnusableCredentials` if OpenSSL
        cannot use the files, ``ValueError`` for a name that is none.
        """
        context = _build(credentials, SSL.VERIFY_PEER, policy)
        if alpn:
            context.set_alpn_protos([name.encode() for name in alpn])
        for prepare in preparations:
            prepare(context)
        return cls(context, server_name)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer."""
        return self.make()

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the connection for one TLS layer; ``observer`` sees what happens on it."""
        connection = TLSConnection(self._context, self._verify_name, observer, is_client=True)
        if self._sni is not None:
            connection.set_tlsext_host_name(self._sni)
        if self._session is not None:
            connection.set_session(self._session)
        return connection

    def resuming(self, session: SSL.Session) -> ClientTLS:
        """Return the same side, whose connections resume ``session`` (RFC 8446, section 2.2).

        ``session`` is what ``get_session()`` of an earlier connection has returned.
        """
        again = copy(self)
        again._session = session
        return again

    def _verify_name(self, certificate: X509) -> None:
        patterns = extract_patterns(certificate.to_cryptography())
        verify_service_identity(patterns, [self._identity], [])
