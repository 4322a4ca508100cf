"""Files of certificates in PEM, and advice for those that are something else."""

from __future__ import annotations

import re
from pathlib import Path
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

_BEGIN_CERTIFICATE = re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----")

_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"-----BEGIN TRUSTED CERTIFICATE-----"),
        "a certificate in OpenSSL's own format",
        "openssl x509 -in FILE -out FILE.pem",
    ),
    (
        re.compile(rb"-----BEGIN (PKCS7|CMS)-----"),
        "PKCS#7",
        "openssl pkcs7 -print_certs -in FILE -out FILE.pem",
    ),
    (
        re.compile(rb"-----BEGIN (NEW )?CERTIFICATE REQUEST-----"),
        "a request for a certificate, which an authority has to sign",
        "",
    ),
    (
        re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----"),
        "a key in OpenSSH's own format",
        "ssh-keygen -p -m PEM -f FILE",
    ),
    (
        re.compile(rb"\A(\xfe\xed\xfe\xed|\xce\xce\xce\xce)"),
        "a Java key store",
        "keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12",
    ),
    (
        re.compile(rb"\A\x30.{0,4}\x02\x01\x03\x30", re.DOTALL),
        "PKCS#12",
        "openssl pkcs12 -in FILE -nokeys -out FILE.pem",
    ),
    (
        re.compile(rb"\A\x30.{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07", re.DOTALL),
        "PKCS#7 in DER",
        "openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem",
    ),
    (
        re.compile(rb"\A\x30.{0,4}\x30", re.DOTALL),
        "a certificate in DER",
        "openssl x509 -inform DER -in FILE -out FILE.pem",
    ),
    (
        re.compile(rb"\A\x30.{0,4}\x02\x01[\x00\x01]", re.DOTALL),
        "a private key in DER",
        "openssl pkey -inform DER -in FILE -out FILE.pem",
    ),
    (re.compile(rb"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----"), "a private key", ""),
    (_BEGIN_CERTIFICATE, "a certificate", ""),
)
"""What a file may hold instead: a sign of it, its name, and the command that converts it."""


class BadCredentials(Exception):
    """Credentials that cannot be used.

    Its str is one line for the user: the file, the reason, and the remedy if there is one.
    """


def load_certificates(path: Path, role: str = "certificate") -> list[x509.Certificate]:
    """Read the certificates of a PEM file, in their order; there is at least one.

    Args:
        path: The file. Other PEM blocks and text between the certificates are ignored.
        role: What to call the file in an error: "certificate" or "authority".

    Raises:
        BadCredentials: If the file cannot be read, holds no certificate or a damaged one.
    """
    data = read(path, role)
    if not _BEGIN_CERTIFICATE.search(data):
        raise BadCredentials(
            f"{named(role, path)} holds no PEM certificate (-----BEGIN CERTIFICATE-----)"
            f"{description_of(data, role)}"
        )
    try:
        # cryptography warns about serial numbers that are not positive. OpenSSL accepts them, and
        # the bundles of operating systems contain some.
        with catch_warnings():
            simplefilter("ignore", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise BadCredentials(f"{named(role, path)} is damaged: {one_line(error)}") from error


def description_of(data: bytes, role: str) -> str:
    """Return the end of a message: what a file seems to hold instead, and how to convert it."""
    for sign, kind, command in _KINDS:
        if sign.search(data):
            return f", but {kind}" + (f"; convert it with: {command}" if command else "")
    return f", nor anything else that could be converted to a {role}" if data else "; it is empty"


def read(path: Path, role: str) -> bytes:
    """Return the content of a file; raises BadCredentials."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCredentials(f"{named(role, path)} cannot be read: {error.strerror}") from error


def named(role: str, path: Path) -> str:
    """Return the name of a file for a message."""
    # The repr, because a newline in a path must not make two lines of the message.
    return f"{role} {str(path)!r}"


def one_line(error: Exception) -> str:
    """Return the text of an error in one line."""
    return " ".join(str(error).split())
