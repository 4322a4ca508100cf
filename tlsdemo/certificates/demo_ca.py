"""The demonstration certificates: TLS without any preparation.

A demo CA, a server certificate for the loopback names and a client certificate are generated if
there are none yet, kept for the next run, and renewed when they have expired. They are for learning
and measuring, and must never be used in production: the private key of the demo CA is stored beside
them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from tlsdemo.certificates.files import BadCredentials, Credentials, load_certificates

KEY_TYPES = ("ecdsa", "rsa")

_CA_LIFETIME = timedelta(days=3652)
_LEAF_LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(minutes=5)  # so that a peer whose clock is slow accepts them
_LEAF_NAMES = {
    "server": ("localhost", "127.0.0.1", "::1"),
    # A client needs no name, but some verifiers reject a leaf without a subjectAltName.
    "client": ("client@tlsdemo.test",),
}
_PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
}
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class DemoCertificates:
    """The paths of the demonstration certificates of one key type.

    Attributes:
        authority: The certificate of the demo CA, which issued the others, for peers to trust.
        server: For a server on localhost, 127.0.0.1 or ::1.
        client: For a client that has to present a certificate.
        made: True if files were generated, so that peers may still trust an older CA.
    """

    authority: Path
    server: Credentials
    client: Credentials
    made: bool


def default_directory(package: Path = _PACKAGE, environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory of the demonstration certificates if the user names none.

    In a checkout that is its certs/. An installed package keeps them with the user's data, because
    the user may not write to its own directory.

    Args:
        package: The directory of the tlsdemo package.
        environ: Environment variables, ours by default; XDG_DATA_HOME is ignored if it is not
            absolute.

    Raises:
        BadCredentials: If there is neither XDG_DATA_HOME nor a home directory.
    """
    checkout = package.parent
    if (checkout / "certs").is_dir() and (checkout / "setup.cfg").is_file():
        return checkout / "certs"
    data_home = (os.environ if environ is None else environ).get("XDG_DATA_HOME", "")
    if os.path.isabs(data_home):
        return Path(data_home) / "tlsdemo"
    try:
        return Path.home() / ".local" / "share" / "tlsdemo"
    except RuntimeError as error:
        raise BadCredentials(
            "there is no home directory to keep the demonstration certificates in;"
            " set XDG_DATA_HOME, or give certificates with --cert, --key and --ca"
        ) from error


def demo_certificates(directory: Path, key_type: str, now: datetime) -> DemoCertificates:
    """Return the demonstration certificates, generated or renewed if necessary.

    They are kept in a subdirectory named after the key type. Leaves are valid for one year and the
    demo CA for ten; leaves are renewed by the same CA while it is valid.

    Args:
        directory: The directory to keep them in; created if missing.
        key_type: One of `KEY_TYPES`. RSA keys have 2048 bits, ECDSA keys are on P-256.
        now: The time at which they have to be valid; timezone-aware.

    Raises:
        BadCredentials: If they have to be generated and the directory cannot be written.
        ValueError: If the key type is unknown.
    """
    if key_type not in KEY_TYPES:
        raise ValueError(f"key type {key_type!r} is none of {', '.join(KEY_TYPES)}")
    home = directory / key_type
    made = False
    # A usable set is never changed, and an unusable one is replaced only under the lock, after it
    # has been checked again. So of any number of processes one generates the set and all use it,
    # and a process that has the paths can load the files one by one at any time.
    if not _is_usable(home, now):
        try:
            _make_directory(directory)
            with _locked(directory):
                if not _is_usable(home, now):
                    _replace(home, key_type, now)
                    made = True
        except OSError as error:
            raise BadCredentials(
                f"directory {str(directory)!r} cannot keep the demonstration certificates:"
                f" {error.strerror}; give another directory,"
                " or certificates with --cert, --key and --ca"
            ) from error
    return DemoCertificates(home / "ca.pem", _leaf(home, "server"), _leaf(home, "client"), made)


def _leaf(home: Path, role: str) -> Credentials:
    return Credentials(home / f"{role}.pem", home / f"{role}.key", home / "ca.pem")


def _is_usable(home: Path, now: datetime) -> bool:
    """Return whether the set is complete and valid, and was issued by its CA."""
    try:
        Credentials(home / "ca.pem", home / "ca.key", None).check(now)
        issuer = load_certificates(home / "ca.pem")[0]
        for role in _LEAF_NAMES:
            _leaf(home, role).check(now)
            leaf = load_certificates(home / f"{role}.pem")[0]
            leaf.verify_directly_issued_by(issuer)
            if _purposes(leaf) != [_PURPOSES[role]]:
                return False
    except (BadCredentials, InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _purposes(leaf: x509.Certificate) -> list[x509.ObjectIdentifier]:
    """Return what a certificate may be used for; older versions issued leaves for everything."""
    try:
        return list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []


def _make_directory(directory: Path) -> None:
    """Make a directory and its parents, which others may read but not write, whatever the umask."""
    for each in (*reversed(directory.parents), directory):
        if not each.exists():
            each.mkdir(mode=0o755, exist_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    # The directory itself is locked: no lock file stays behind, and the kernel releases the lock
    # of a process that died.
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(home: Path, key_type: str, now: datetime) -> None:
    # The set is complete before it gets its final name, so no reader finds an incomplete one. A
    # directory cannot be renamed over one that is not empty: the old set is moved away first, and a
    # reader that finds none in between waits for the lock. The temporary directory has mode 0700,
    # and is removed with its contents even if something fails.
    with TemporaryDirectory(
        prefix=".making-", dir=home.parent, ignore_cleanup_errors=True
    ) as temporary:
        fresh = Path(temporary, "fresh")
        fresh.mkdir(mode=0o755)
        _make(fresh, _load_ca(home, now) or _new_ca(key_type, now), key_type, now)
        with suppress(FileNotFoundError):
            os.rename(home, Path(temporary, "stale"))
        os.rename(fresh, home)


def _make(fresh: Path, ca: trustme.CA, key_type: str, now: datetime) -> None:
    certificate = ca.cert_pem.bytes()
    issuer = x509.load_pem_x509_certificate(certificate)
    issuer_key = _load_key(ca.private_key_pem.bytes())
    _write(fresh / "ca.pem", certificate, 0o644)
    _write(fresh / "ca.key", ca.private_key_pem.bytes(), 0o600)
    for role, names in _LEAF_NAMES.items():
        leaf = ca.issue_cert(
            *names,
            common_name=f"tlsdemo {role}",
            organization_name="tlsdemo",
            key_type=trustme.KeyType[key_type.upper()],
        )
        model = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        end = min(now + _LEAF_LIFETIME, issuer.not_valid_after_utc)
        signed = _signed(model, _leaf_extensions(model, role, key_type), issuer_key, now, end)
        _write(fresh / f"{role}.pem", signed.public_bytes(Encoding.PEM), 0o644)
        _write(fresh / f"{role}.key", leaf.private_key_pem.bytes(), 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    # The file is created with its mode, so that a key is never readable by others; fchmod only adds
    # what the umask removed from the mode of a certificate.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(content)


def _load_ca(home: Path, now: datetime) -> trustme.CA | None:
    certificate, key = home / "ca.pem", home / "ca.key"
    try:
        Credentials(certificate, key, None).check(now)
    except BadCredentials:
        return None
    return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())


def _new_ca(key_type: str, now: datetime) -> trustme.CA:
    draft = trustme.CA(
        organization_name="tlsdemo", key_type=trustme.KeyType[key_type.upper()], path_length=0
    )
    # The CAs of trustme are valid until the year 3000, and it accepts no other date: so the
    # certificate is signed again with another one.
    model = x509.load_pem_x509_certificate(draft.cert_pem.bytes())
    key_pem = draft.private_key_pem.bytes()
    kept = [(each.value, each.critical) for each in model.extensions]
    certificate = _signed(model, kept, _load_key(key_pem), now, now + _CA_LIFETIME)
    return trustme.CA.from_pem(certificate.public_bytes(Encoding.PEM), key_pem)


def _load_key(pem: bytes) -> CertificateIssuerPrivateKeyTypes:
    return cast(CertificateIssuerPrivateKeyTypes, load_pem_private_key(pem, password=None))


def _leaf_extensions(
    model: x509.Certificate, role: str, key_type: str
) -> list[tuple[x509.ExtensionType, bool]]:
    """Return the extensions of a leaf for one purpose, and whether each is critical.

    Strict verifiers reject a critical subjectAltName beside a subject (RFC 5280, section 4.2.1.6).
    """
    usage = x509.KeyUsage(
        digital_signature=True,
        # Only the key exchange of TLS 1.2 with RSA, which nobody should use, needs more.
        key_encipherment=key_type == "rsa",
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    changed: dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool]] = {
        x509.KeyUsage: (usage, True),
        x509.ExtendedKeyUsage: (x509.ExtendedKeyUsage([_PURPOSES[role]]), False),
    }
    return [
        changed.get(
            type(each.value),
            (each.value, each.critical and not isinstance(each.value, x509.SubjectAlternativeName)),
        )
        for each in model.extensions
    ]


def _signed(
    model: x509.Certificate,
    extensions: list[tuple[x509.ExtensionType, bool]],
    issuer_key: CertificateIssuerPrivateKeyTypes,
    now: datetime,
    end: datetime,
) -> x509.Certificate:
    """Return a certificate as ``model``, with these extensions, valid from ``now`` to ``end``."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(model.subject)
        .issuer_name(model.issuer)
        .public_key(model.public_key())
        .serial_number(model.serial_number)
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, SHA256())
