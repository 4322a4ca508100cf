"""The certificates that the scenarios need: good, expired, and from another authority."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tlsdemo.certificates.demo_ca import demo_certificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.lab.scenarios import CertificateKind
from tlsdemo.trace.model import End

_LONG_AGO = timedelta(days=2 * 365)
_KEY_TYPE = "ecdsa"


@dataclass(frozen=True)
class Certificates:
    """The certificates of both ends; every end trusts the same authority."""

    authority: Path
    files: dict[tuple[End, CertificateKind], tuple[Path | None, Path | None]]

    def credentials(self, end: End, kind: CertificateKind) -> Credentials:
        """Return the credentials of an end with this kind of certificate."""
        certificate, key = self.files[end, kind]
        return Credentials(certificate, key, self.authority)


def make_certificates(directory: Path, now: datetime) -> Certificates:
    """Create all of them in ``directory``, which should be empty; ``now`` is timezone-aware."""
    # Expired certificates are renewed by demo_certificates, by the same authority.
    good, expired, other = directory / "good", directory / "expired", directory / "other"
    demo_certificates(good, _KEY_TYPE, now - _LONG_AGO)
    shutil.copytree(good, expired)
    made = {
        CertificateKind.GOOD: demo_certificates(good, _KEY_TYPE, now),
        CertificateKind.EXPIRED: demo_certificates(expired, _KEY_TYPE, now - _LONG_AGO),
        CertificateKind.UNTRUSTED: demo_certificates(other, _KEY_TYPE, now),
    }
    files: dict[tuple[End, CertificateKind], tuple[Path | None, Path | None]] = {}
    for kind, each in made.items():
        files[End.SERVER, kind] = (each.server.certificate, each.server.key)
        files[End.CLIENT, kind] = (each.client.certificate, each.client.key)
    for end in End:
        files[end, CertificateKind.NONE] = (None, None)
    return Certificates(made[CertificateKind.GOOD].authority, files)
