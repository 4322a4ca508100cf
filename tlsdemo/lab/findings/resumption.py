"""Findings about session resumption."""

from __future__ import annotations

import ssl
from typing import Any

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder
from tlsdemo.lab.findings.stdlib_peer import APPLICATION_DATA, records
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence


async def _resumption(testbed: Testbed) -> Evidence:
    lines, resumed = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = testbed.stdlib_context(version=version)
        options = testbed.server_options()
        session, _ = await _session(testbed, options, context, None)
        session, reused = await _session(testbed, options, context, session)
        resumed.append(reused)
        ticket = "has a ticket" if session is not None and session.has_ticket else "has no ticket"
        lines.append(
            f"{version.name.replace('v1_', ' 1.')}: the client's session {ticket}; its second "
            f"connection is resumed: {reused}"
        )
    return evidence(not any(resumed), "two connections to servers with the same options", *lines)


async def _session(
    testbed: Testbed, options: Any, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool | None]:
    """Connect once; return the session that results, and whether the given one was resumed."""
    application = HandshakeRecorder()
    application.on_data = lambda data: application.transport.write(data)
    port = testbed.serve(application, "wrapped", options)
    peer = await testbed.connect_secured(port, context, session=session)
    peer.send(b"hello")
    # The session tickets of TLS 1.3 have arrived by the time of the answer.
    await testbed.require("answer", lambda: peer.cleartext)
    assert peer.tls is not None
    result = peer.tls.session, peer.tls.session_reused
    peer.close_tls()
    return result


async def _tickets(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    peer = await testbed.connect_secured(testbed.serve(application, "wrapped"))
    await testbed.require("complete the handshake", lambda: application.handshake_completed)
    # What the server sends next shows that no ticket is still to come.  Not from now on: the
    # tickets may have arrived already.
    application.transport.write(b"end")
    await testbed.require("send data", lambda: peer.cleartext == b"end")
    *after, _ = records(peer.wire[peer.handshake_bytes :])
    tickets = [length for kind, length in after if kind == APPLICATION_DATA]
    return evidence(
        len(tickets) == 2,
        f"after the handshake the server sends {len(tickets)} records without application data: "
        f"{', '.join(map(str, tickets)) or 'none'} B",
    )


FINDINGS = (
    Finding(
        "no-resumption",
        "By default, no session is ever resumed.",
        "CertificateOptions disables OpenSSL's session cache and its session tickets. Every "
        "connection of the same client needs a full handshake with a signature by the server: "
        "about a millisecond of its CPU time with RSA-2048, several times the cost of a resumed "
        "one. Under TLS 1.2, clients that connect often pay with an extra round trip as well. "
        "Build the context yourself, with a session ID context of its own, as tlsdemo does.",
        _resumption,
    ),
    Finding(
        "tickets-for-nothing",
        "Every TLS 1.3 handshake sends two session tickets, and neither can be used.",
        "OpenSSL sends two tickets after each TLS 1.3 handshake even if sessions are disabled "
        "(no-resumption); they refer to sessions that the server does not keep. Each connection "
        "costs bytes and work for them, and a client that presents one later gets a full "
        "handshake all the same. They are also the reason why the first bytes that a client "
        "receives are not application data. Enable resumption, or set the number of tickets to 0; "
        "the tickets that tlsdemo sends can be used.",
        _tickets,
    ),
)
