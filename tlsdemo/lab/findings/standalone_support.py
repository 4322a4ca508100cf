"""What a reproduction needs instead of tlsdemo's certificates, and the test that it becomes.

Only the text of this module is used: tlsdemo.lab.findings.standalone_tests copies it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
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


def make_certificates(directory: Path) -> DemoCertificates:
    """Write certificates that are valid for a day into ``directory``."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def write(name: str, key: ec.EllipticCurvePrivateKey, leaf: bool = True) -> Credentials:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if leaf else issuer
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                False,
            )
        )
        if leaf:
            names = x509.SubjectAlternativeName([x509.DNSName(name)])
            builder = builder.add_extension(names, critical=False)
        else:
            usage = x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        certificate = builder.sign(authority_key, hashes.SHA256())
        files = Credentials(directory / f"{name}.pem", directory / f"{name}.key")
        pem = serialization.Encoding.PEM
        files.certificate.write_bytes(certificate.public_bytes(pem))
        files.key.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return files

    return DemoCertificates(
        write("authority", authority_key, leaf=False).certificate,
        write("localhost", ec.generate_private_key(ec.SECP256R1())),
        write("client", ec.generate_private_key(ec.SECP256R1())),
    )


def environment() -> dict[str, str]:
    """Return the environment of a child process."""
    return dict(os.environ)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a reproduction depends on."""
    return {
        "Twisted": twisted.__version__,
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
        certificates: Any = make_certificates(directory)
        testbed = Testbed(reactor, certificates)
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
