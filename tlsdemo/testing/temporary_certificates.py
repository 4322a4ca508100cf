"""Certificates for tests, made once per process."""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates


@functools.cache
def temporary_certificates() -> DemoCertificates:
    """Return a CA, a server certificate for ``localhost`` and a client certificate.

    They are made by the first call, in a temporary directory that is removed when the process
    ends.  The keys are ECDSA keys on P-256.
    """
    return demo_certificates(Path(_directory().name), "ecdsa", datetime.now(timezone.utc))


@functools.cache
def _directory() -> TemporaryDirectory[str]:
    # The directory lives as long as this object does.
    return TemporaryDirectory(prefix="tlsdemo-testing-")
