"""The certificates that the ways need: good ones, expired ones, and those of another authority."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tlsdemo.certificates.demo_ca import demo_certificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.lab.scenarios import Shown
from tlsdemo.trace.model import End

_LONG_AGO = timedelta(days=2 * 365)
_KEY_TYPE = "ecdsa"


@dataclass(frozen=True)
class Certificates:
    """What each end can show; whatever it shows, it trusts the good authority."""

    authority: Path
    shown: dict[tuple[End, Shown], tuple[Path | None, Path | None]]

    def credentials(self, end: End, shown: Shown) -> Credentials:
        """Return the files of an end that shows this."""
        certificate, key = self.shown[end, shown]
        return Credentials(certificate, key, self.authority)


def make_certificates(directory: Path, now: datetime) -> Certificates:
    """Make them all in ``directory``, which should be empty; ``now`` is timezone-aware."""
    # Those made long ago have expired, and are renewed under the same authority.
    good, expired, other = directory / "good", directory / "expired", directory / "other"
    demo_certificates(good, _KEY_TYPE, now - _LONG_AGO)
    shutil.copytree(good, expired)
    made = {
        Shown.GOOD: demo_certificates(good, _KEY_TYPE, now),
        Shown.EXPIRED: demo_certificates(expired, _KEY_TYPE, now - _LONG_AGO),
        Shown.UNTRUSTED: demo_certificates(other, _KEY_TYPE, now),
    }
    shown: dict[tuple[End, Shown], tuple[Path | None, Path | None]] = {}
    for kind, each in made.items():
        shown[End.SERVER, kind] = (each.server.certificate, each.server.key)
        shown[End.CLIENT, kind] = (each.client.certificate, each.client.key)
    for end in End:
        shown[end, Shown.NONE] = (None, None)
    return Certificates(made[Shown.GOOD].authority, shown)
