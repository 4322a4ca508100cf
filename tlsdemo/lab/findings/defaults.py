"""Findings about what is switched on where nothing was asked for."""

from __future__ import annotations

import ssl

import trustme
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions, PrivateCertificate, TLSVersion

from tlsdemo.lab.findings.finding import Evidence, Finding, Span, evidence
from tlsdemo.lab.findings.recording_protocols import Recording
from tlsdemo.lab.findings.testbed import Testbed

_AEAD = ("GCM", "CCM", "CHACHA20", "POLY1305")


async def _ciphers(lab: Testbed) -> Evidence:
    # Such suites need a key of type RSA, which the demonstration's server has not.
    leaf = trustme.CA().issue_cert("localhost", key_type=trustme.KeyType.RSA)
    options = PrivateCertificate.loadPEM(leaf.private_key_and_cert_chain_pem.bytes()).options()
    port = lab.listen(lab.wrapped(options, Recording()))
    static, agreed = [], []
    for suite in SSL.Connection(options.getContext(), None).get_cipher_list():
        context = lab.foreign_context(version=ssl.TLSVersion.TLSv1_2)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if suite.startswith("TLS_") or not _understood(context, suite):
            continue
        peer = await lab.peer(port)
        peer.start_tls(context)
        await lab.must("end a handshake", lambda peer=peer: peer.complete or peer.error)  # type: ignore[misc]
        if peer.complete:
            agreed.append(suite)
            static += [] if suite.startswith(("ECDHE-", "DHE-")) else [suite]
    cbc = [suite for suite in agreed if not any(mode in suite for mode in _AEAD)]
    return evidence(
        bool(static),
        f"CertificateOptions() with an RSA key agrees to {len(agreed)} suites of TLS 1.2",
        f"without forward secrecy, {len(static)}: {', '.join(static) or 'none'}",
        f"without authenticated encryption (CBC), {len(cbc)}: {', '.join(cbc) or 'none'}",
    )


def _understood(context: ssl.SSLContext, suite: str) -> bool:
    try:
        context.set_ciphers(suite)
    except ssl.SSLError:
        return False
    return True


async def _maximum(lab: Testbed) -> Evidence:
    leaf = trustme.CA().issue_cert("localhost")
    own = PrivateCertificate.loadPEM(leaf.private_key_and_cert_chain_pem.bytes())
    options = own.options()
    lowered = CertificateOptions(
        privateKey=options.privateKey,
        certificate=options.certificate,
        lowerMaximumSecurityTo=TLSVersion.TLSv1_2,
    )
    port = lab.listen(lab.wrapped(lowered, Recording()))
    context = lab.foreign_context(version=ssl.TLSVersion.TLSv1_2)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer = await lab.peer(port)
    peer.start_tls(context)
    await lab.must("end a handshake", lambda: peer.complete or peer.error)
    how = "complete" if peer.complete else f"failed: {peer.error}"
    return evidence(
        not peer.complete,
        "CertificateOptions(lowerMaximumSecurityTo=TLSVersion.TLSv1_2)",
        f"the handshake of a client that has TLS 1.2 and no other: {how}",
    )


FINDINGS = (
    Finding(
        "maximum-version-excluded",
        "lowerMaximumSecurityTo excludes the very version that it names.",
        "A server that was to speak TLS 1.2 at the most speaks neither 1.3 nor 1.2, and no client "
        "of today can connect; who tries it out with a client that has all versions sees only that "
        "the handshake fails. Set the maximum on the context, with set_max_proto_version, as "
        "tlsdemo does.",
        _maximum,
        span=Span(until="26.4"),
    ),
    Finding(
        "ciphers-without-forward-secrecy",
        "The default ciphers of TLS 1.2 include some without forward secrecy.",
        "With such a suite the client encrypts the secret for the server's RSA key: who records "
        "the traffic and gets that key in ten years reads it all. RFC 9325 forbids them, and "
        "scanners mark a server down for them, and for CBC. They need a key of type RSA to be "
        "agreed on. Give acceptableCiphers with the AEAD suites of ECDHE, which is tlsdemo's "
        "default.",
        _ciphers,
    ),
)
