"""Findings about sessions that could be resumed."""

from __future__ import annotations

import ssl

from tlsdemo.lab.findings.finding import Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening
from tlsdemo.lab.findings.stdlib_peer import APPLICATION_DATA, records
from tlsdemo.lab.findings.testbed import Testbed


class _Echo(Listening):
    """Answers with the same."""

    def __init__(self) -> None:
        super().__init__()
        self.on_data = lambda data: self.transport.write(data)


async def _resumption(lab: Testbed) -> Evidence:
    seen, resumed = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = lab.foreign_context(version=version)
        options = lab.server_options()
        session: ssl.SSLSession | None = None
        for _ in range(2):
            application = _Echo()
            port = lab.serve(application, "wrapped", options)
            peer = await lab.secured(port, context, session=session)
            peer.send(b"hello")
            # With the answer, at the latest, the tickets of TLS 1.3 have come.
            await lab.must("answer", lambda peer=peer: peer.clear)  # type: ignore[misc]
            assert peer.tls is not None
            session, reused = peer.tls.session, peer.tls.session_reused
            peer.close_tls()
        resumed.append(reused)
        ticket = "has a ticket" if session is not None and session.has_ticket else "has no ticket"
        seen.append(
            f"{version.name.replace('v1_', ' 1.')}: the client's session {ticket}; its second "
            f"connection is resumed: {reused}"
        )
    return evidence(not any(resumed), "two connections to servers with the same options", *seen)


async def _tickets(lab: Testbed) -> Evidence:
    application = Listening()
    peer = await lab.secured(lab.serve(application, "wrapped"))
    at_handshake = len(peer.wire)
    await lab.must("complete the handshake", lambda: application.complete)
    await lab.until(lambda: len(records(peer.wire[at_handshake:])) > 1)
    after = records(peer.wire[at_handshake:])
    tickets = [length for kind, length in after if kind == APPLICATION_DATA]
    return evidence(
        len(tickets) == 2 and not peer.clear,
        f"after the handshake the server sends {len(tickets)} records that hold no data: "
        f"{', '.join(map(str, tickets)) or 'none'} B",
    )


FINDINGS = (
    Finding(
        "no-resumption",
        "No session is ever resumed by default.",
        "CertificateOptions switches OpenSSL's session cache and its tickets off. Each "
        "connection of the same client is a full handshake, with a signature on the server: "
        "about a millisecond of its CPU with RSA-2048, and a multiple of what a resumed one "
        "costs. Clients that connect often pay for it with a round trip under TLS 1.2 as well. "
        "Build the context yourself, with a session id context of its own, as tlsdemo does.",
        _resumption,
    ),
    Finding(
        "tickets-for-nothing",
        "Two session tickets are sent with every TLS 1.3 handshake, and neither is any good.",
        "OpenSSL sends two tickets after each TLS 1.3 handshake, also where sessions are off "
        "(no-resumption): they name sessions that are not kept. Bytes and work for each "
        "connection, and clients that keep them, come back with one and are refused. They are "
        "also why the first bytes that a client gets are no data. Allow resumption, or set the "
        "number of tickets to 0; with tlsdemo they are good for what they are sent for.",
        _tickets,
    ),
)
