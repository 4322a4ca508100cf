"""The name that a client expects in its server's certificate (RFC 9525)."""

from __future__ import annotations

from contextlib import suppress

from cryptography.x509 import load_der_x509_certificate
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity

from tlsdemo.starttls.names import without_last_dot


def identity_of(server_name: str) -> DNS_ID | IPAddress_ID:
    """Return what a certificate has to have for ``server_name``, a DNS name or an IP address.

    Raises:
        ValueError: If it is neither.
    """
    try:
        return IPAddress_ID(server_name)
    except ValueError:
        # A certificate contains no dot at the end either.
        name = without_last_dot(server_name)
        if name == without_last_dot(name):
            with suppress(ValueError):
                return DNS_ID(name)
    raise ValueError(f"server_name is {server_name!r}, neither a DNS name nor an IP address")


class NameCheck:
    """Checks certificates for the name ``identity``.

    To read the names of a certificate takes long, and a client's servers mostly have the same
    again: so the last one that was right is known.
    """

    def __init__(self, identity: DNS_ID | IPAddress_ID) -> None:
        self._identity = identity
        self._known = b""

    def __call__(self, certificate: X509) -> None:
        """Return if a certificate has the name; raises what ``service_identity`` does if not."""
        der = dump_certificate(FILETYPE_ASN1, certificate)
        if der != self._known:
            patterns = extract_patterns(load_der_x509_certificate(der))
            verify_service_identity(patterns, [self._identity], [])
            self._known = der
