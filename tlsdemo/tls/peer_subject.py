"""The subject of a peer's certificate, as text.

OpenSSL accepts certificates that cryptography cannot read, such as those of old authorities, whose
names are in Latin-1 (a TeletexString).  They are as good as others, and only have no name here.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from cryptography.x509 import InvalidVersion, load_der_x509_certificate
from OpenSSL.crypto import FILETYPE_ASN1, X509, dump_certificate


def subject_of(certificate: X509) -> str:
    """Return the subject (RFC 4514); of one that cannot be read, a text with its fingerprint."""
    return _subject_of(dump_certificate(FILETYPE_ASN1, certificate))


@lru_cache(maxsize=16)
def _subject_of(der: bytes) -> str:
    # An end sees mostly the same few certificates.
    try:
        return load_der_x509_certificate(der).subject.rfc4514_string()
    except (ValueError, TypeError, InvalidVersion):
        return f"unreadable subject of the certificate with SHA-256 {sha256(der).hexdigest()}"
