"""The TLS settings of a server or a client, from which its connections are made.

A context takes long to build, so a :class:`ServerTLS` or :class:`ClientTLS` is built once for a
service and used for all its connections, in every mode.  It is also a Twisted connection creator,
for ``transport.startTLS`` and ``TLSMemoryBIOFactory``.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from itertools import product

from OpenSSL import SSL
from service_identity.hazmat import DNS_ID
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.certificates.certificate_file import unreadable
from tlsdemo.certificates.files import BadCredentials, Credentials
from tlsdemo.tls.alpn_selection import encoded, set_selection
from tlsdemo.tls.name_check import NameCheck, identity_of
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.own_certificate import use_certificate
from tlsdemo.tls.policy import Policy, reasons_of
from tlsdemo.tls.server_names import choose_by_name
from tlsdemo.tls.session_tickets import SessionTickets
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.verification import observe_verification, set_verification

DEFAULT = Policy()


class ClientAuth(enum.Enum):
    """Whether a server requires a client certificate, verifies one if sent, or requests none."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


_VERIFY_MODES = {
    ClientAuth.REQUIRED: SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
    ClientAuth.OPTIONAL: SSL.VERIFY_PEER,
    ClientAuth.NONE: SSL.VERIFY_NONE,
}


class UnusableCredentials(Exception):
    """OpenSSL cannot use the credentials; the message is one line with the reason."""


def _build(
    credentials: Credentials, verify: int, policy: Policy, *, is_client: bool
) -> SSL.Context:
    try:
        context = _new_context(credentials, policy)
        set_verification(context, verify, names=is_client)
        return context
    except SSL.Error as error:
        paths = (credentials.certificate, credentials.key, credentials.authority)
        files = [path for path in paths if path is not None]
        names = ", ".join(map(str, files))
        # OpenSSL says "system lib" of a file that it cannot read.
        problem = unreadable(files) or reasons_of(error)
        raise UnusableCredentials(f"OpenSSL cannot use {names}: {problem}") from error


def _new_context(credentials: Credentials, policy: Policy) -> SSL.Context:
    credentials.check_complete()
    context = SSL.Context(SSL.TLS_METHOD)
    policy.apply(context)
    # An idle connection would keep a buffer of 16 KiB in each direction.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    if credentials.authority is not None:
        context.load_verify_locations(str(credentials.authority))
    else:
        context.set_default_verify_paths()
    if credentials.certificate is not None and credentials.key is not None:
        use_certificate(context, credentials.certificate, credentials.key, credentials.passphrase)
    return context


Preparation = Callable[[SSL.Context], object]
"""A function that changes each context after it has been built, such as a :class:`KeyLog`."""


class TLS(typing.Protocol):
    """The TLS settings of one end: a :class:`ServerTLS` or a :class:`ClientTLS`."""

    @property
    def is_client(self) -> bool:
        """Whether this is the client's end."""

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the OpenSSL connection for one TLS layer, observed by ``observer`` if given."""


def check_tls(tls: object) -> None:
    """Raise TypeError if ``tls`` is something else, such as Twisted's options."""
    if not hasattr(tls, "make"):
        raise TypeError(f"tls is {tls!r}; give a ServerTLS or a ClientTLS")


def _server_context(
    credentials: Credentials, client_auth: ClientAuth, alpn: Sequence[str], policy: Policy
) -> SSL.Context:
    context = _build(credentials, _VERIFY_MODES[client_auth], policy, is_client=False)
    # A session with a client certificate is resumed only if the session id contexts are equal.
    context.set_session_id(b"tlsdemo")
    # Tickets only: the client keeps the state of the session, and the server keeps none.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if credentials.authority is not None and client_auth is not ClientAuth.NONE:
        context.load_client_ca(str(credentials.authority).encode())
    set_selection(context, alpn)
    SessionTickets()(context)
    return context


@implementer(IOpenSSLServerConnectionCreator)
class ServerTLS:
    """The TLS settings of a server.

    Args:
        context: Any server context; :meth:`build` makes one with good defaults.
        rebuild: Builds the context again for :meth:`reload`, from files that must be valid at
            the given time.
    """

    is_client = False

    def __init__(
        self, context: SSL.Context, rebuild: Callable[[datetime], SSL.Context] | None = None
    ) -> None:
        self._context = context
        self._rebuild = rebuild

    @classmethod
    def build(
        cls,
        credentials: Credentials,
        client_auth: ClientAuth | str = ClientAuth.REQUIRED,
        alpn: Sequence[str] = (),
        *,
        policy: Policy = DEFAULT,
        more: Sequence[Credentials] = (),
        preparations: Sequence[Preparation] = (),
    ) -> ServerTLS:
        """Build the settings from files: by default TLS 1.2 and 1.3 with forward secrecy.

        Args:
            credentials: The certificate and key, and the authority that issues client
                certificates (without one, the authorities that the system trusts).
            client_auth: Whether clients need a certificate.
            alpn: The application protocols (RFC 7301) to select from, in order of preference.
                A client that offers only others goes on without one.
            policy: The versions and cipher suites that are allowed.
            more: Certificates for other names.  The first certificate that matches the client's
                SNI is sent, ``credentials`` included; without a match, that of ``credentials``.
                If they trust different authorities for client certificates, no session is resumed.
            preparations: Called with every context, also when the files are loaded again.

        Raises:
            BadCredentials: If there is no certificate, or one without its key.
            UnusableCredentials: If OpenSSL cannot use the files.
        """
        if credentials.certificate is None:
            raise BadCredentials("a server needs a certificate and its key")
        identities, auth = [credentials, *more], ClientAuth(client_auth)

        def make() -> SSL.Context:
            contexts = [_server_context(each, auth, alpn, policy) for each in identities]
            for prepare, context in product(preparations, contexts):
                prepare(context)
            authorities = {each.authority for each in identities}
            if len(authorities) > 1 and auth is not ClientAuth.NONE:
                # A client that one name trusts could resume its session with another name: OpenSSL
                # verifies nothing again, and the tickets are those of the first context.
                for context in contexts:
                    SessionTickets(0)(context)
            return choose_by_name(identities, contexts) if more else contexts[0]

        def rebuild(now: datetime) -> SSL.Context:
            for each in identities:
                each.check(now)
            return make()

        return cls(make(), rebuild)

    def reload(self, now: datetime) -> None:
        """Load the same files again, for new connections; existing ones are not affected.

        The session ticket keys change too, so that a client whose authority is no longer trusted
        cannot resume a session.

        Args:
            now: The time at which the certificates must be valid, timezone-aware.

        Raises:
            BadCredentials: If a file is missing or invalid; the message is one line.
            UnusableCredentials: If OpenSSL cannot use a file, or this was made from a context.
                After either error everything is as it was before.
        """
        if self._rebuild is None:
            raise UnusableCredentials(
                "a context that was made elsewhere has no files to load again"
            )
        self._context = self._rebuild(now)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the OpenSSL connection for one TLS layer (called by Twisted)."""
        return self.make()

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the OpenSSL connection for one TLS layer, observed by ``observer`` if given."""
        connection = TLSConnection(self._context, observer=observer)
        if connection.observation is not None:
            observe_verification(connection)
        return connection


@implementer(IOpenSSLClientConnectionCreator)
class ClientTLS:
    """The TLS settings of a client, which verifies the server's chain and name.

    With a context of :meth:`build`, the name is verified before the client's certificate is sent;
    with any other context, when the handshake is complete.

    Args:
        context: Any client context that verifies certificates.
        server_name: The DNS name or IP address that the server's certificate must be valid for
            (RFC 9525).  A DNS name is also sent as the SNI, without a trailing dot (RFC 6066,
            section 3).

    Raises:
        ValueError: If ``server_name`` is neither a name nor an address.
    """

    is_client = True

    def __init__(self, context: SSL.Context, server_name: str) -> None:
        self._context = context
        # RFC 6066, section 3: literal addresses are not permitted in SNI.
        self._sni: bytes | None = None
        self._session: SSL.Session | None = None
        identity = identity_of(server_name)
        if isinstance(identity, DNS_ID):
            # The SNI is the name that is verified, in its ASCII form.
            self._sni = identity.hostname.decode("ascii").encode("idna")
        self._verify_name = NameCheck(identity)

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
        """Build the settings from files: by default TLS 1.2 and 1.3 with forward secrecy.

        Args:
            credentials: The client's certificate and key, if any, and the authority that the
                server's certificate must come from (without one, those that the system trusts).
            server_name: The DNS name or IP address that the certificate must be valid for.
            alpn: The application protocols (RFC 7301) to offer, in order of preference.
            policy: The versions and cipher suites that are allowed.
            preparations: Called with the context.

        Raises:
            BadCredentials: If there is a certificate without its key, or the other way round.
            UnusableCredentials: If OpenSSL cannot use the files.
            ValueError: If ``server_name`` is neither a name nor an address.
        """
        context = _build(credentials, SSL.VERIFY_PEER, policy, is_client=True)
        if alpn:
            context.set_alpn_protos(encoded(alpn))
        for prepare in preparations:
            prepare(context)
        return cls(context, server_name)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the OpenSSL connection for one TLS layer (called by Twisted)."""
        return self.make()

    def make(self, observer: Observer | None = None) -> TLSConnection:
        """Make the OpenSSL connection for one TLS layer, observed by ``observer`` if given."""
        connection = TLSConnection(self._context, self._verify_name, observer, is_client=True)
        if self._sni is not None:
            connection.set_tlsext_host_name(self._sni)
        if self._session is not None:
            connection.set_session(self._session)
        return connection

    def resuming(self, session: SSL.Session) -> ClientTLS:
        """Return the same settings, whose connections resume ``session`` (RFC 8446, section 2.2).

        ``session`` is the result of ``get_session()`` of an earlier connection of these settings.
        The server's chain is not verified again, only its name.
        """
        resuming = copy(self)
        resuming._session = session
        return resuming
