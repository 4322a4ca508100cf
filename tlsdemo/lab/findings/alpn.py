"""Findings about the application protocol that TLS agrees on."""

from __future__ import annotations

from tlsdemo.lab.findings.finding import Evidence, Finding, Span, evidence
from tlsdemo.lab.findings.recording_protocols import Listening
from tlsdemo.lab.findings.testbed import Testbed


async def _alpn(lab: Testbed) -> Evidence:
    seen, killed = [], []
    for way in ("wrapped", "startTLS"):
        application = Listening()
        context = lab.foreign_context()
        context.set_alpn_protocols(["http/1.1"])
        peer = await lab.peer(lab.serve(application, way))
        peer.start_tls(context)
        await lab.must(
            "end or complete a handshake",
            lambda peer=peer, each=application: peer.error or each.complete,  # type: ignore[misc]
        )
        killed.append(peer.error is not None and not application.complete)
        outcome = f"failed: {peer.error.reason}" if peer.error else "complete, with no protocol"
        seen.append(
            f"{way}, a client that offers http/1.1: its handshake is {outcome}; the application "
            f"was told {application.told}"
        )
    return evidence(all(killed), *seen)


FINDINGS = (
    Finding(
        "alpn-kills-handshake",
        "A server without acceptableProtocols cuts off every client that offers ALPN.",
        "CertificateOptions sets a callback that selects a protocol, also where there is none "
        "to select, and what the callback then answers makes OpenSSL end the handshake with the "
        "alert internal_error. curl, browsers, and libpq from 17 on always offer ALPN: none of "
        "them can connect to a server that worked before the upgrade of Twisted. Give "
        "acceptableProtocols if your clients all speak one of a few, or a context whose ALPN "
        "callback answers OpenSSL.SSL.NO_OVERLAPPING_PROTOCOLS, as tlsdemo's does.",
        _alpn,
        span=Span(since="26.4"),
    ),
)
