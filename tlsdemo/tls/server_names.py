"""Matching certificates to the server name that a client requests (RFC 6066, section 3)."""

from __future__ import annotations

from cryptography import x509


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
