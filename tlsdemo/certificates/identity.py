"""A peer's certificate chain and private key, from PEM files or from a PKCS#12 file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from tlsdemo.certificates.certificate_file import (
    BadCredentials,
    load_certificates,
    named,
    read,
)
from tlsdemo.certificates.file_kind import description_of, kind_of
from tlsdemo.certificates.file_kind import is_pkcs12 as _is_pkcs12

_CERTIFICATE = b"CERTIFICATE-----"
_ENCRYPTED_WITHOUT = "is encrypted; give its passphrase with --passphrase-file"
_WRONG = "cannot be decrypted with that passphrase"


@dataclass(frozen=True)
class Identity:
    """A certificate ``chain``, its leaf first, and the ``key`` of the leaf.

    ``plain``: whether both are in PEM and not encrypted, so that OpenSSL can read the files.
    """

    chain: list[x509.Certificate]
    key: PrivateKeyTypes
    plain: bool


def load_identity(certificate: Path, key: Path, passphrase: bytes | None) -> Identity:
    """Read a certificate chain and its key; one PKCS#12 file (RFC 7292) may be both.

    Raises:
        BadCredentials: If a file cannot be read, is of another kind or damaged, or needs another
            passphrase, or if PKCS#12 comes with another key; the message is one line.
    """
    data = read(certificate, "certificate")
    if _is_pkcs12(data):
        identity = _load_pkcs12(certificate, data, passphrase)
        _check_same_key(identity, certificate, data, key, passphrase)
        return identity
    _check_not_swapped(certificate, data, key)
    chain = load_certificates(certificate)
    loaded, encrypted = _load_key(key, passphrase)
    return Identity(chain, loaded, not encrypted)


def is_pkcs12(path: Path) -> bool:
    """Return whether a file holds PKCS#12; not if it cannot be read."""
    try:
        return _is_pkcs12(path.read_bytes())
    except OSError:
        return False


def _load_pkcs12(path: Path, data: bytes, passphrase: bytes | None) -> Identity:
    name = named("certificate", path)
    try:
        key, leaf, more = pkcs12.load_key_and_certificates(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = _ENCRYPTED_WITHOUT if passphrase is None else _WRONG
        raise BadCredentials(f"{name} is in PKCS#12, and {why}, or is damaged") from error
    if key is None or leaf is None:
        missing = "private key" if key is None else "certificate of its key"
        raise BadCredentials(f"{name} is in PKCS#12, and holds no {missing}")
    return Identity([leaf, *more], key, plain=False)


def _check_same_key(
    identity: Identity, certificate: Path, data: bytes, key: Path, passphrase: bytes | None
) -> None:
    if key == certificate or read(key, "key") == data:
        return
    other, _ = _load_key(key, passphrase)
    if other.public_key() != identity.key.public_key():
        raise BadCredentials(
            f"{named('key', key)} is not the key in {named('certificate', certificate)}, which is "
            "in PKCS#12; leave --key out"
        )


def _check_not_swapped(certificate: Path, data: bytes, key: Path) -> None:
    if key == certificate or _CERTIFICATE in data:
        return
    first, second = kind_of(data), kind_of(read(key, "key"))
    if first and second and (first.role, second.role) == ("key", "certificate"):
        names = f"{named('certificate', certificate)} and {named('key', key)}"
        raise BadCredentials(
            f"{names} hold {first.name} and {second.name}; exchange --cert and --key"
        )


def _load_key(path: Path, passphrase: bytes | None) -> tuple[PrivateKeyTypes, bool]:
    """Return the key, and whether it was encrypted."""
    data = read(path, "key")
    name = named("key", path)
    if b"PRIVATE KEY-----" not in data:
        raise BadCredentials(f"{name} holds no private key in PEM{description_of(data, 'key')}")
    try:
        return load_pem_private_key(data, password=None), False
    except TypeError:
        if passphrase is None:
            raise BadCredentials(f"{name} {_ENCRYPTED_WITHOUT}") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        # The message of cryptography depends on its version, and has several lines.
        raise BadCredentials(
            f"{name} is damaged, or of a kind that is not supported;"
            " see what openssl pkey -noout -text_pub -in FILE makes of it"
        ) from error
    try:
        return load_pem_private_key(data, passphrase), True
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadCredentials(f"{name} {_WRONG}") from error
