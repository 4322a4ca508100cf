"""Certificates for several names, issued by the demonstration's authority."""

from __future__ import annotations

from pathlib import Path

import trustme

from tests.support import certificates
from tlsdemo.certificates.files import Credentials


def issue(directory: Path, file: str, *names: str) -> Credentials:
    """A certificate for ``names`` from the demo authority."""
    authority = certificates().authority
    issuer = trustme.CA.from_pem(authority.read_bytes(), authority.with_suffix(".key").read_bytes())
    leaf = issuer.issue_cert(*names)
    made = Credentials(directory / f"{file}.pem", directory / f"{file}.key", authority)
    assert made.certificate is not None and made.key is not None
    made.certificate.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    made.key.write_bytes(leaf.private_key_pem.bytes())
    return made


def names_shown(certificate: object) -> list[str]:
    """The DNS names of a certificate that the standard library returned."""
    assert isinstance(certificate, dict)
    return [name for kind, name in certificate["subjectAltName"] if kind == "DNS"]
