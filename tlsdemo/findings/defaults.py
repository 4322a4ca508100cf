"""Findings about what is switched on where nothing was asked for."""

from __future__ import annotations

import ssl

import trustme
from OpenSSL import SSL
from twisted.internet.ssl import PrivateCertificate

from tlsdemo.findings.applications import Recording
from tlsdemo.findings.finding import Evidence, Finding, evidence
from tlsdemo.findings.lab import Lab

_AEAD = ("GCM", "CCM", "CHACHA20", "POLY1305")


async def _ciphers(lab: Lab) -> Evidence:
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


FINDINGS = (
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
