"""Findings about ALPN, the negotiation of an application protocol (RFC 7301)."""

from __future__ import annotations

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence


async def _alpn(testbed: Testbed) -> Evidence:
    outcomes = [await _offer(testbed, mode) for mode in ("wrapped", "startTLS")]
    return evidence(all(failed for failed, _ in outcomes), *(line for _, line in outcomes))


async def _offer(testbed: Testbed, mode: str) -> tuple[bool, str]:
    """Offer a protocol; return whether the handshake failed, and a line about it."""
    application = HandshakeRecorder()
    context = testbed.stdlib_context()
    context.set_alpn_protocols(["http/1.1"])
    peer = await testbed.connect_peer(testbed.serve(application, mode))
    peer.start_tls(context)
    await testbed.require(
        "end or complete the handshake", lambda: peer.error or application.handshake_completed
    )
    outcome = f"fails: {peer.error.reason}" if peer.error else "completes without a protocol"
    return (
        peer.error is not None and not application.handshake_completed,
        f"{mode}, client offers http/1.1: its handshake {outcome}; callbacks of the server's "
        f"application: {application.callbacks_text}",
    )


FINDINGS = (
    Finding(
        "alpn-kills-handshake",
        "A server without acceptableProtocols rejects every client that offers ALPN.",
        "CertificateOptions installs a callback that selects an application protocol even if the "
        "server has none to select. What the callback returns in that case makes OpenSSL abort the "
        "handshake with the alert internal_error. curl, browsers, and libpq since version 17 "
        "always offer ALPN, so after an upgrade of Twisted none of them can connect to a server "
        "that used to work. Set acceptableProtocols if all your clients speak one of a few known "
        "protocols. Otherwise use a context whose ALPN callback returns "
        "OpenSSL.SSL.NO_OVERLAPPING_PROTOCOLS, as tlsdemo does.",
        _alpn,
        affected=AffectedVersions(since="26.4"),
    ),
)
