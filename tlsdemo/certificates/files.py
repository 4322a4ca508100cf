"""The certificate, private key and CA files of a TLS peer.

Credentials are *paths*: OpenSSL reads the files itself when a context is built. Its error messages
do not explain what is wrong with a file, so the files are checked here first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning

_BEGIN_CERTIFICATE = re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----")
_BEGIN_KEY = re.compile(rb"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----")


class BadCredentials(Exception):
    """Credentials that cannot be used.

    Its str is one line for the user: the file, the reason, and the remedy if there is one.
    """


@dataclass(frozen=True)
class Credentials:
    """The files of one TLS peer; each may be None.

    Attributes:
        certificate: PEM chain to present, the leaf first. Requires `key`.
        key: PEM private key of the leaf, not encrypted. May be the same file as `certificate`.
        authority: PEM bundle of the trust anchors against which the other peer is verified.
    """

    certificate: Path | None
    key: Path | None
    authority: Path | None

    def check(self, now: datetime) -> None:
        """Check that OpenSSL will be able to use the files.

        A bundle of CA certificates is valid if one of them is: the bundles of operating systems
        often contain an expired one.

        Args:
            now: The time at which they have to be valid; timezone-aware.

        Raises:
            BadCredentials: If a file cannot be read or parsed, is not valid at `now`, or does
                not match the others.
        """
        if self.certificate is not None and self.key is not None:
            _check_identity(self.certificate, self.key, now)
        elif self.certificate is not None:
            raise BadCredentials(f"{_name('certificate', self.certificate)} needs its key as well")
        elif self.key is not None:
            raise BadCredentials(f"{_name('key', self.key)} needs its certificate as well")
        if self.authority is not None:
            _check_authority(self.authority, now)


def load_certificates(path: Path, role: str = "certificate") -> list[x509.Certificate]:
    """Read the certificates of a PEM file, in their order; there is at least one.

    Args:
        path: The file. Other PEM blocks and text between the certificates are ignored.
        role: What to call the file in an error: "certificate" or "authority".

    Raises:
        BadCredentials: If the file cannot be read, holds no certificate or a damaged one.
    """
    data = _read(path, role)
    if not _BEGIN_CERTIFICATE.search(data):
        raise BadCredentials(
            f"{_name(role, path)} holds no PEM certificate (-----BEGIN CERTIFICATE-----);"
            " convert one in DER with: openssl x509 -inform DER -in FILE -out FILE.pem"
        )
    try:
        # cryptography warns about serial numbers that are not positive. OpenSSL accepts them, and
        # the bundles of operating systems contain some.
        with catch_warnings():
            simplefilter("ignore", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise BadCredentials(f"{_name(role, path)} is damaged: {_one_line(error)}") from error


def _check_identity(certificate: Path, key_path: Path, now: datetime) -> None:
    chain = load_certificates(certificate)
    if problem := _date_problem(chain[0], now):
        raise BadCredentials(f"{_name('certificate', certificate)} {problem}")
    key = _load_key(key_path)
    mismatch = f"{_name('key', key_path)} does not match {_name('certificate', certificate)}"
    try:
        public = key.public_key()
        owned = [number for number, one in enumerate(chain, 1) if one.public_key() == public]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCredentials(
            f"{_name('certificate', certificate)} has a public key that cannot be used:"
            f" {_one_line(error)}"
        ) from error
    if not owned:
        raise BadCredentials(mismatch)
    if 1 not in owned:
        raise BadCredentials(
            f"{mismatch}: it belongs to number {owned[0]} of {len(chain)} in that file;"
            " the certificate of the key must be the first"
        )


def _check_authority(path: Path, now: datetime) -> None:
    bundle = load_certificates(path, "authority")
    problems = [_date_problem(certificate, now) for certificate in bundle]
    if all(problems):
        among = f"holds {len(bundle)} certificates, none valid: the first " if problems[1:] else ""
        raise BadCredentials(f"{_name('authority', path)} {among}{problems[0]}")


def _date_problem(certificate: x509.Certificate, now: datetime) -> str:
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def _load_key(path: Path) -> PrivateKeyTypes:
    data = _read(path, "key")
    if not _BEGIN_KEY.search(data):
        raise BadCredentials(f"{_name('key', path)} holds no private key in PEM")
    try:
        return load_pem_private_key(data, password=None)
    except TypeError as error:
        raise BadCredentials(
            f"{_name('key', path)} is encrypted;"
            " decrypt it with: openssl pkey -in FILE -out FILE.decrypted"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        # The message of cryptography depends on its version, and has several lines.
        raise BadCredentials(
            f"{_name('key', path)} is damaged, or of a kind that is not supported;"
            " see what openssl pkey -noout -text_pub -in FILE makes of it"
        ) from error


def _read(path: Path, role: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCredentials(f"{_name(role, path)} cannot be read: {error.strerror}") from error


def _name(role: str, path: Path) -> str:
    # The repr, because a newline in a path must not make two lines of the message.
    return f"{role} {str(path)!r}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
