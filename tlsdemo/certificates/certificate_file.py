"""Files of certificates in PEM."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from tlsdemo.certificates.file_kind import description_of

_BEGIN_CERTIFICATE = re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----")


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


def unreadable(paths: Iterable[Path]) -> str | None:
    """Return why the first of ``paths`` that cannot be read cannot; ``None`` if all can."""
    for path in paths:
        try:
            with path.open("rb"):
                continue
        except OSError as error:
            return str(error)
    return None
