"""The name that a client expects in its server's certificate (RFC 9525)."""

from __future__ import annotations

from cryptography.x509 import load_der_x509_certificate
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity


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
