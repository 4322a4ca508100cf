"""Matching certificates to the server name that a client requests (RFC 6066, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from OpenSSL import SSL

from tlsdemo.certificates.files import Credentials
from tlsdemo.certificates.identity import load_identity


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate's subject alternative names, in lower case.

    The common name is ignored (RFC 9525, section 2).  So are addresses, which SNI cannot carry.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.value.get_values_for_type(x509.DNSName))


def matches(names: tuple[str, ...], requested: str) -> bool:
    """Return whether one of ``names`` matches the name ``requested``, ignoring case.

    A dot at the end is ignored too: RFC 6066 forbids it, but some clients send it.  A wildcard is
    the whole first label, and matches one label (RFC 9525, section 6.3).

    >>> matches(("*.example.org",), "WWW.example.org")
    True
    >>> matches(("example.org",), "example.org.")
    True
    >>> matches(("*.example.org",), "a.b.example.org")
    False
    """
    requested = requested.lower().removesuffix(".")
    label, dot, rest = requested.partition(".")
    return requested in names or bool(label and dot and rest and f"*.{rest}" in names)


def choose_by_name(
    identities: Sequence[Credentials], contexts: Sequence[SSL.Context]
) -> SSL.Context:
    """Return the first context, which changes to the one whose certificate matches the SNI.

    From the other context OpenSSL takes the certificate, the trusted authorities and their names.
    Versions, ciphers, options, verification, ALPN and ticket keys remain those of the first.
    As all contexts have the same settings, this makes no difference.
    """
    first, *others = contexts
    # None for the first, which must not refer to itself: that cycle could never be collected.
    named = [
        (names_of(load_identity(each.certificate, each.key, each.passphrase).chain[0]), context)
        for each, context in zip(identities, (None, *others), strict=True)
        if each.certificate is not None and each.key is not None
    ]

    def choose(connection: SSL.Connection) -> None:
        requested = (connection.get_servername() or b"").decode("ascii", "replace")
        chosen = next((context for names, context in named if matches(names, requested)), None)
        if chosen is not None:
            connection.set_context(chosen)

    first.set_tlsext_servername_callback(choose)
    return first
