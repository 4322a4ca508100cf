"""The certificates of the peer of a pinned protocol: good ones, and others."""

from __future__ import annotations

import functools
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from tlsdemo.lab.scenarios import CertificateKind
from tlsdemo.testing.temporary_certificates import temporary_certificates

OTHER_NAME = "another.example"
"""The name in the certificate of a server that is not the one that the client wants."""


def load_certificate(
    context: ssl.SSLContext, kind: CertificateKind, server: bool, name: str = "localhost"
) -> None:
    """Give ``context`` a certificate of this kind, for a ``server`` of that name or a client."""
    if kind is not CertificateKind.NONE:
        certificate, key = _files(kind, server, name)
        context.load_cert_chain(certificate, key)


@functools.cache
def unknown_authority() -> Path:
    """Return the certificate of an authority that issued none of the others."""
    path = Path(_directory().name, "unknown.pem")
    _unknown().cert_pem.write_to_path(str(path))
    return path


@functools.cache
def _files(kind: CertificateKind, server: bool, name: str) -> tuple[Path, Path]:
    known = temporary_certificates()
    role = known.server if server else known.client
    if kind is CertificateKind.GOOD and name == "localhost":
        assert role.certificate is not None and role.key is not None
        return role.certificate, role.key
    authority = trustme.CA.from_pem(
        known.authority.read_bytes(), known.authority.with_name("ca.key").read_bytes()
    )
    if kind is CertificateKind.UNTRUSTED:
        authority = _unknown()
    now = datetime.now(timezone.utc)
    end = now - timedelta(days=365) if kind is CertificateKind.EXPIRED else now + timedelta(days=1)
    leaf = authority.issue_cert(name, not_before=end - timedelta(days=365), not_after=end)
    stem = Path(_directory().name, f"{kind.name}-{server}-{name}".lower())
    certificate, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    return certificate, key


@functools.cache
def _unknown() -> trustme.CA:
    return trustme.CA()


@functools.cache
def _directory() -> TemporaryDirectory[str]:
    # The directory lives as long as this object does.
    return TemporaryDirectory(prefix="tlsdemo-pins-")
