"""What a reproduction needs instead of tlsdemo's certificates, and the test that it becomes.

Only the text of this module is used: tlsdemo.lab.findings.standalone copies it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import OpenSSL
import twisted
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from tlsdemo.lab.findings.finding import AffectedVersions
from tlsdemo.lab.findings.testbed import NoVerdict, Testbed
from tlsdemo.reporting.finding_result import Evidence, Verdict


@dataclass(frozen=True)
class Credentials:
    """The files of one end: its certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class DemoCertificates:
    """A certificate authority, and the server and the client that it has certified."""

    authority: Path
    server: Credentials
    client: Credentials


def make_certificates(directory: Path) -> Any:
    """Write certificates that are valid for a day into ``directory``."""
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(timezone.utc)

    def write(name: str, ca: bool = False) -> Credentials:
        key = issuer_key if ca else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), 1 + len(name))
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(issuer_key, SHA256())
        )
        files = Credentials(directory / f"{name}.pem", directory / f"{name}.key")
        files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    authority = write("authority", ca=True).certificate
    return DemoCertificates(authority, write("localhost"), write("client"))


def environment() -> dict[str, str]:
    """Return the environment of a child process."""
    return dict(os.environ)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a reproduction depends on."""
    return {
        "Twisted": twisted.__version__,
        "pyOpenSSL": OpenSSL.__version__,
        "OpenSSL": SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode(),
    }


class StillSo(AssertionError):
    """The behaviour that the test is about has been observed."""


def about(
    title: str, affected: AffectedVersions, timeout: float
) -> Callable[[Callable[..., Any]], Any]:
    """Mark a test as expected to fail with the versions that are known to be affected."""

    def mark(test: Any) -> Any:
        test.timeout = timeout
        if affected.verdict(versions()) is Verdict.STILL_SO:
            test.todo = ([StillSo], title)
        return test

    return mark


class ReproductionCase(TestCase):
    """A test that fails if a reproduction still observes what it is about."""

    # Trial would otherwise take the module's contextlib.suppress for its own attribute.
    suppress: ClassVar[list[Any]] = []

    def reproduce(
        self, reproduction: Callable[[Testbed], Coroutine[Any, Any, Evidence]]
    ) -> Deferred[None]:
        """Run ``reproduction``; without a verdict, the test is skipped."""
        return Deferred.fromCoroutine(self._reproduce(reproduction))

    async def _reproduce(
        self, reproduction: Callable[[Testbed], Coroutine[Any, Any, Evidence]]
    ) -> None:
        directory = Path(self.mktemp())
        directory.mkdir(parents=True)
        testbed = Testbed(reactor, make_certificates(directory))
        try:
            evidence = await reproduction(testbed)
        except NoVerdict as problem:
            raise SkipTest(str(problem)) from problem
        finally:
            await testbed.close()
            # What Twisted logs is part of some evidence.
            self.flushLoggedErrors()
        observed = "\n".join(["", *evidence.lines])
        if evidence.verdict is Verdict.UNKNOWN:
            raise SkipTest(f"{evidence.reason}{observed}")
        if evidence.verdict is Verdict.STILL_SO:
            raise StillSo(observed)
