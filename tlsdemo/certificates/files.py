"""The certificate, private key and CA files of a TLS peer.

Credentials are *paths*: OpenSSL reads the files itself when a context is built. Its error messages
do not explain what is wrong with a file, so the files are checked here first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from tlsdemo.certificates.certificate_file import (
    BadCredentials,
    load_certificates,
    named,
    one_line,
)
from tlsdemo.certificates.identity import load_identity

__all__ = ["PASSPHRASE", "BadCredentials", "Credentials", "load_certificates"]

PASSPHRASE = "TLSDEMO_PASSPHRASE"
"""The environment variable with the passphrase of a key."""


@dataclass(frozen=True, init=False)
class Credentials:
    """The files of one TLS peer; each may be None, and is given as a path or a string.

    Attributes:
        certificate: PEM chain to present, the leaf first, or PKCS#12. Requires `key`.
        key: PEM private key of the leaf. May be the same file as `certificate`; must be with
            PKCS#12.
        authority: PEM bundle of the trust anchors against which the other peer is verified.
        passphrase: For a key or a PKCS#12 file that is encrypted.
    """

    certificate: Path | None
    key: Path | None
    authority: Path | None
    passphrase: bytes | None = field(default=None, repr=False)

    def __init__(
        self,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        authority: str | os.PathLike[str] | None = None,
        passphrase: bytes | None = None,
    ) -> None:
        files = {"certificate": certificate, "key": key, "authority": authority}
        for name, path in files.items():
            object.__setattr__(self, name, None if path is None else Path(path))
        object.__setattr__(self, "passphrase", passphrase)

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
        self.check_complete()
        if self.certificate is not None and self.key is not None:
            _check_identity(self.certificate, self.key, self.passphrase, now)
        if self.authority is not None:
            _check_authority(self.authority, now)

    def check_complete(self) -> None:
        """Check that there is no certificate without its key, and no key alone.

        Raises:
            BadCredentials: If there is.
        """
        if self.certificate is not None and self.key is None:
            raise BadCredentials(f"{named('certificate', self.certificate)} needs its key as well")
        if self.key is not None and self.certificate is None:
            raise BadCredentials(f"{named('key', self.key)} needs its certificate as well")


def _check_identity(
    certificate: Path, key_path: Path, passphrase: bytes | None, now: datetime
) -> None:
    identity = load_identity(certificate, key_path, passphrase)
    chain, key = identity.chain, identity.key
    if problem := _date_problem(chain[0], now):
        raise BadCredentials(f"{named('certificate', certificate)} {problem}")
    mismatch = f"{named('key', key_path)} does not match {named('certificate', certificate)}"
    try:
        public = key.public_key()
        owned = [number for number, one in enumerate(chain, 1) if one.public_key() == public]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCredentials(
            f"{named('certificate', certificate)} has a public key that cannot be used:"
            f" {one_line(error)}"
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
        raise BadCredentials(f"{named('authority', path)} {among}{problems[0]}")


def _date_problem(certificate: x509.Certificate, now: datetime) -> str:
    if now < certificate.not_valid_before_utc:
        return f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
    return ""
