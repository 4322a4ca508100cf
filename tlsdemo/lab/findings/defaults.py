"""Findings about default settings."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.ssl import PrivateCertificate, TLSVersion

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import RecordingProtocol, factory_of
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence

_AEAD = ("GCM", "CCM", "CHACHA20", "POLY1305")


async def _handshake(testbed: Testbed, port: int, context: ssl.SSLContext) -> StdlibPeer:
    """Return a client that trusts any server, once its handshake has completed or failed."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer = StdlibPeer()
    # At once, because a server without any version of TLS sends its alert before the ClientHello.
    peer.on_connected = lambda: peer.start_tls(context)
    testbed.connect(port, factory_of(peer))
    await testbed.require("end a handshake", lambda: peer.handshake_completed or peer.error)
    return peer


async def _ciphers(testbed: Testbed) -> Evidence:
    # These suites need an RSA key; the demo certificate of the server has an ECDSA key.
    options = _rsa_certificate().options()
    port = testbed.listen(testbed.tls_factory(options, RecordingProtocol()))
    negotiated = []
    for suite in SSL.Connection(options.getContext(), None).get_cipher_list():
        context = testbed.stdlib_context(version=ssl.TLSVersion.TLSv1_2)
        if suite.startswith("TLS_") or not _supported(context, suite):
            continue
        if (await _handshake(testbed, port, context)).handshake_completed:
            negotiated.append(suite)
    static = [suite for suite in negotiated if not suite.startswith(("ECDHE-", "DHE-"))]
    cbc = [suite for suite in negotiated if not any(mode in suite for mode in _AEAD)]
    return evidence(
        bool(static),
        f"CertificateOptions() with an RSA key accepts {len(negotiated)} TLS 1.2 cipher suites",
        f"without forward secrecy, {len(static)}: {', '.join(static) or 'none'}",
        f"without authenticated encryption (CBC), {len(cbc)}: {', '.join(cbc) or 'none'}",
    )


def _rsa_certificate() -> PrivateCertificate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return PrivateCertificate.loadPEM(pem)  # type: ignore[no-any-return]


def _supported(context: ssl.SSLContext, suite: str) -> bool:
    try:
        context.set_ciphers(suite)
    except ssl.SSLError:
        return False
    return True


async def _maximum(testbed: Testbed) -> Evidence:
    lowered = testbed.server_options(lowerMaximumSecurityTo=TLSVersion.TLSv1_2)
    port = testbed.listen(testbed.tls_factory(lowered, RecordingProtocol()))
    context = testbed.stdlib_context(version=ssl.TLSVersion.TLSv1_2)
    peer = await _handshake(testbed, port, context)
    outcome = "completes" if peer.handshake_completed else f"fails: {peer.error}"
    return evidence(
        not peer.handshake_completed,
        "CertificateOptions(lowerMaximumSecurityTo=TLSVersion.TLSv1_2)",
        f"the handshake of a client that supports only TLS 1.2 {outcome}",
    )


FINDINGS = (
    Finding(
        "maximum-version-excluded",
        "lowerMaximumSecurityTo excludes the very version that it names.",
        "A server that is limited to TLS 1.2 in this way accepts neither TLS 1.3 nor TLS 1.2, so "
        "no current client can connect. Someone who tries it out with a client that supports all "
        "versions only sees that the handshake fails. Set the maximum on the context with "
        "set_max_proto_version, as tlsdemo does.",
        _maximum,
        affected=AffectedVersions(until="26.4"),
        tickets=(10232,),
    ),
    Finding(
        "ciphers-without-forward-secrecy",
        "The default ciphers for TLS 1.2 include some without forward secrecy.",
        "With such a cipher suite the client encrypts the secret of the connection with the "
        "server's RSA key. Someone who records the traffic, and obtains that key ten years later, "
        "can read all of it. RFC 9325 forbids these suites, and scanners mark a server down for "
        "them, and for CBC. They are only negotiated with an RSA key. Set acceptableCiphers to "
        "the AEAD suites with ECDHE, which is tlsdemo's default.",
        _ciphers,
    ),
)
