"""What a file holds that is no certificate or key in PEM, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.utils import CryptographyDeprecationWarning

_OPTIONS = {"certificate": "give it as --cert", "key": "give it as --key"}
_WITH_ITS_KEY = "give it as --cert, without --key"


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    ``name``: what to call it.  ``role``: ``"certificate"`` or ``"key"``, or empty if it is of no
    use.  ``command``: converts it to PEM; empty if it need not or cannot be converted.  ``option``:
    what to do if it is in the place of another role.
    """

    name: str
    role: str = ""
    command: str = ""
    option: str = ""

    def advice(self, role: str) -> str:
        """Return what to do if the file is given as a certificate, key or authority."""
        needed = "certificate" if role == "authority" else role
        if self.role == needed:
            return self.command and f"convert it with: {self.command}"
        return "" if role == "authority" else self.option or _OPTIONS.get(self.role, "")


_REQUEST = FileKind("a request for a certificate, which an authority has to sign")
_PUBLIC_KEY = FileKind("a public key")
_DER_KEY = FileKind(
    "a private key in DER", "key", "openssl pkey -inform DER -in FILE -out FILE.pem"
)
_ENCRYPTED_DER_KEY = FileKind(
    "an encrypted private key in DER",
    "key",
    "openssl pkey -inform DER -in FILE -aes256 -out FILE.pem",
)
_DER_CERTIFICATE = FileKind(
    "a certificate in DER", "certificate", "openssl x509 -inform DER -in FILE -out FILE.pem"
)

# A SEQUENCE, with its length (X.690, sections 8.1.3 and 8.9).
_SEQUENCE = rb"\A\x30([\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"

_PKCS12 = re.compile(_SEQUENCE + rb"\x02\x01\x03\x30", re.DOTALL)
"""Version 3, and another SEQUENCE (RFC 7292, section 4)."""

_SIGNS: tuple[tuple[re.Pattern[bytes], FileKind], ...] = (
    (
        re.compile(rb"-----BEGIN TRUSTED CERTIFICATE-----"),
        FileKind(
            "a certificate in OpenSSL's own format",
            "certificate",
            "openssl crl2pkcs7 -nocrl -certfile FILE | openssl pkcs7 -print_certs -out FILE.pem",
        ),
    ),
    (
        re.compile(rb"-----BEGIN (PKCS7|CMS)-----"),
        FileKind("PKCS#7", "certificate", "openssl pkcs7 -print_certs -in FILE -out FILE.pem"),
    ),
    (re.compile(rb"-----BEGIN (NEW )?CERTIFICATE REQUEST-----"), _REQUEST),
    (
        re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----"),
        FileKind("a key in OpenSSH's own format", "key", "ssh-keygen -p -m PEM -f FILE"),
    ),
    (
        re.compile(rb"\A(\xfe\xed\xfe\xed|\xce\xce\xce\xce)"),
        FileKind(
            "a Java key store; convert it with: keytool -importkeystore -srckeystore FILE "
            "-destkeystore FILE.p12 -deststoretype PKCS12",
            option=_WITH_ITS_KEY,
        ),
    ),
    (
        _PKCS12,
        FileKind(
            "PKCS#12",
            "certificate",
            "openssl pkcs12 -in FILE -nokeys -out FILE.pem",
            option=_WITH_ITS_KEY,
        ),
    ),
    (
        re.compile(_SEQUENCE + rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", re.DOTALL),
        FileKind(
            "PKCS#7 in DER",
            "certificate",
            "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem",
        ),
    ),
    (re.compile(rb"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----"), FileKind("a private key", "key")),
    (
        re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----"),
        FileKind("a certificate", "certificate"),
    ),
    (re.compile(rb"-----BEGIN ([A-Z]+ )*PUBLIC KEY-----"), _PUBLIC_KEY),
)
"""Kinds that are known by a sign."""

_LOADERS: tuple[tuple[Callable[[bytes], object], FileKind], ...] = (
    (x509.load_der_x509_certificate, _DER_CERTIFICATE),
    (x509.load_der_x509_csr, _REQUEST),
    (lambda data: load_der_private_key(data, None), _DER_KEY),
    (load_der_public_key, _PUBLIC_KEY),
)
"""Kinds in DER that only reading them can tell apart."""


def is_pkcs12(data: bytes) -> bool:
    """Return whether ``data`` is PKCS#12."""
    return _PKCS12.match(data) is not None


def kind_of(data: bytes) -> FileKind | None:
    """Return what ``data`` is, or None if it is of no known kind."""
    for sign, kind in _SIGNS:
        if sign.search(data):
            return kind
    with catch_warnings():
        simplefilter("ignore", CryptographyDeprecationWarning)
        for load, kind in _LOADERS:
            try:
                load(data)
            except TypeError:
                return _ENCRYPTED_DER_KEY
            except (ValueError, UnsupportedAlgorithm):
                continue
            return kind
    return None


def description_of(data: bytes, role: str) -> str:
    """Return the end of a message: what a file seems to hold instead, and what to do about it."""
    if not data:
        return "; it is empty"
    kind = kind_of(data)
    if kind is None:
        return f", nor anything else that could be converted to a {role}"
    return f", but {kind.name}" + (f"; {advice}" if (advice := kind.advice(role)) else "")
