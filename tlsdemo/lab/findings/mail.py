"""Findings about the protocols of twisted.mail that support STARTTLS."""

from __future__ import annotations

from typing import Any

from twisted.mail.imap4 import IMAP4Server
from twisted.mail.smtp import ESMTP, ESMTPClient, IMessageDelivery
from zope.interface import implementer

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import factory_of
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence


@implementer(IMessageDelivery)
class _Accepting:
    """Accepts mail from any sender for any recipient."""

    def receivedHeader(self, helo: Any, origin: Any, recipients: Any) -> bytes:  # noqa: N802
        """Add no header."""
        return b""

    def validateFrom(self, helo: Any, origin: Any) -> Any:  # noqa: N802
        """Accept."""
        return origin

    def validateTo(self, user: Any) -> Any:  # noqa: N802
        """Accept."""
        return lambda: None


async def _secured_smtp(testbed: Testbed, plaintext: bytes) -> StdlibPeer:
    """Send ``plaintext`` after EHLO, and return the client once TLS has started."""
    server = ESMTP(contextFactory=testbed.server_options())
    server.delivery = _Accepting()
    peer = await testbed.connect_peer(testbed.listen(factory_of(server)))
    await testbed.require("greet", lambda: peer.wire.endswith(b"\r\n"))
    peer.transport.write(b"EHLO client.example\r\n")
    await testbed.require(
        "offer STARTTLS", lambda: b"250 " in peer.wire and b"STARTTLS" in peer.wire
    )
    peer.transport.write(plaintext)
    await testbed.require("answer STARTTLS", lambda: b"\r\n220 " in peer.wire)
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    return peer


async def _esmtp_injection(testbed: Testbed) -> Evidence:
    peer = await _secured_smtp(testbed, b"STARTTLS\r\nMAIL FROM:<attacker@example.org>\r\n")
    # The answer to this shows that there is no other one still to come.
    peer.send(b"NONSENSE\r\n")
    await testbed.require("reject a command", lambda: b"500 " in peer.cleartext)
    return evidence(
        peer.cleartext.startswith(b"250"),
        "in one segment of plaintext: STARTTLS, MAIL FROM:<attacker@example.org>",
        f"received through TLS, without a request: {peer.cleartext!r}",
    )


async def _esmtp_state(testbed: Testbed) -> Evidence:
    peer = await _secured_smtp(testbed, b"MAIL FROM:<attacker@example.org>\r\nSTARTTLS\r\n")
    peer.send(b"RCPT TO:<victim@example.net>\r\n")
    await testbed.require("answer RCPT", lambda: b"\r\n" in peer.cleartext)
    return evidence(
        peer.cleartext.startswith(b"250"),
        "in plaintext: MAIL FROM:<attacker@example.org>, then STARTTLS",
        f"through TLS: RCPT TO without EHLO or MAIL, answered with {peer.cleartext!r}",
    )


async def _imap_injection(testbed: Testbed) -> Evidence:
    server = IMAP4Server(contextFactory=testbed.server_options())
    peer = await testbed.connect_peer(testbed.listen(factory_of(server)))
    await testbed.require("greet", lambda: peer.wire.endswith(b"\r\n"))
    peer.transport.write(b"a STARTTLS\r\nb CAPABILITY\r\n")
    await testbed.require("answer STARTTLS", lambda: b"a OK" in peer.wire)
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    peer.send(b"c NOOP\r\n")
    await testbed.require("answer a command", lambda: b"c OK" in peer.cleartext)
    return evidence(
        b"b OK" in peer.cleartext,
        "in one segment of plaintext: a STARTTLS, b CAPABILITY",
        f"received through TLS, without a request: {peer.cleartext!r}",
    )


class _Sender(ESMTPClient):
    """A client with one message to send."""

    requireTransportSecurity = True  # noqa: N815

    def getMailFrom(self) -> bytes | None:  # noqa: N802
        """Return the sender."""
        return b"sender@example.org"

    def getMailTo(self) -> list[bytes]:  # noqa: N802
        """Return the recipients."""
        return [b"recipient@example.net"]


async def _client_injection(testbed: Testbed) -> Evidence:
    client = _Sender(None, testbed.client_options(), b"client.example")
    client.requireAuthentication = False

    def client_gone() -> bool:
        return b"QUIT" in peer.cleartext or peer.lost

    peer = StdlibPeer()
    testbed.connect(testbed.listen(factory_of(peer)), factory_of(client))
    await testbed.require("connect", lambda: peer.transport is not None)
    peer.transport.write(b"220 server.example ESMTP\r\n")
    await testbed.require("send EHLO", lambda: b"EHLO" in peer.wire)
    peer.transport.write(b"250-server.example\r\n250 STARTTLS\r\n")
    await testbed.require("send STARTTLS", lambda: b"STARTTLS" in peer.wire)
    in_plaintext, context = peer.wire, testbed.stdlib_context(server=True)
    peer.transport.write(b"220 go ahead\r\n250-forged.example\r\n250 8BITMIME\r\n")
    peer.start_tls(context, server=True)
    await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    await testbed.require("send EHLO again", lambda: b"EHLO" in peer.cleartext)
    # A client that has not taken the forged answer for one to this EHLO gives up now.
    peer.send(b"421 no service\r\n")
    await testbed.require("go on", lambda: b"MAIL" in peer.cleartext or client_gone())
    return evidence(
        b"MAIL FROM" in peer.cleartext,
        f"the client sends in plaintext: {in_plaintext!r}",
        "in one segment of plaintext: 220 go ahead, and a forged answer to the next EHLO",
        f"the client sends through TLS, without any answer there: {peer.cleartext!r}",
    )


FINDINGS = (
    Finding(
        "esmtp-server-injection",
        "The ESMTP server of twisted.mail executes commands that were injected after STARTTLS.",
        "It is a LineOnlyReceiver that calls startTLS and continues with the lines it already has "
        "(starttls-injection). A command that an attacker on the network appends to the client's "
        "STARTTLS is executed in the session that the client then believes to be protected: for "
        "instance the beginning of a message by the attacker (CVE-2011-0411). RFC 3207 requires "
        "the server to discard what it learned before TLS. Do not offer STARTTLS with it; "
        "tlsdemo's dialect smtp refuses such a client.",
        _esmtp_injection,
    ),
    Finding(
        "esmtp-state-survives-starttls",
        "A MAIL FROM that was sent before TLS is still valid in the ESMTP server afterwards.",
        "RFC 3207, section 4.2, requires the server to discard everything it learned in "
        "plaintext. The ESMTP server of twisted.mail keeps EHLO and MAIL FROM, so what an "
        "attacker sent before STARTTLS becomes part of the protected session, even without any "
        "trick with segments. Reset the session at the upgrade; with tlsdemo the application only "
        "starts after the upgrade.",
        _esmtp_state,
    ),
    Finding(
        "imap4-server-injection",
        "The IMAP4 server of twisted.mail executes commands that were injected after STARTTLS.",
        "As with ESMTP, lines that arrive together with STARTTLS are executed, and the answers to "
        "them are sent through TLS. An attacker can insert a LOGIN of their own before the "
        "client's, and the client then stores its mail in the attacker's mailbox. Do not offer "
        "STARTTLS with it; tlsdemo's dialect imap refuses such a client.",
        _imap_injection,
    ),
    Finding(
        "esmtp-client-injection",
        "The ESMTP client of twisted.mail accepts responses that were injected after the go-ahead.",
        "This is the same problem in the other direction: what an attacker on the network appends "
        "to the server's 220 counts as the response to the EHLO that the client sends through "
        "TLS. The attacker thus chooses which extensions and authentication mechanisms the client "
        "believes in, and from then on the client is one response ahead. Discard what arrives "
        "with the go-ahead; tlsdemo's client refuses to continue.",
        _client_injection,
    ),
)
