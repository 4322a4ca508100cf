"""Findings about the protocols of twisted.mail that have STARTTLS."""

from __future__ import annotations

from typing import Any

from twisted.mail.imap4 import IMAP4Server
from twisted.mail.smtp import ESMTP, ESMTPClient, IMessageDelivery
from zope.interface import implementer

from tlsdemo.lab.findings.finding import Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import factory_of
from tlsdemo.lab.findings.stdlib_peer import Peer
from tlsdemo.lab.findings.testbed import Testbed


@implementer(IMessageDelivery)
class _Accepting:
    """Takes mail from anybody for anybody."""

    def receivedHeader(self, helo: Any, origin: Any, recipients: Any) -> bytes:  # noqa: N802
        """Give no header."""
        return b""

    def validateFrom(self, helo: Any, origin: Any) -> Any:  # noqa: N802
        """Accept."""
        return origin

    def validateTo(self, user: Any) -> Any:  # noqa: N802
        """Accept."""
        return lambda: None


async def _smtp(lab: Testbed, before: bytes) -> Peer:
    """Say ``before`` in the clear after EHLO, and return the client with TLS."""
    server = ESMTP(contextFactory=lab.server_options())
    server.delivery = _Accepting()
    peer = await lab.peer(lab.listen(factory_of(server)))
    await lab.must("greet", lambda: peer.wire.endswith(b"\r\n"))
    peer.transport.write(b"EHLO client.example\r\n")
    await lab.must("offer STARTTLS", lambda: b"250 " in peer.wire and b"STARTTLS" in peer.wire)
    peer.transport.write(before)
    await lab.must("answer STARTTLS", lambda: b"\r\n220 " in peer.wire)
    peer.start_tls(lab.foreign_context())
    await lab.must("complete the handshake", lambda: peer.complete)
    return peer


async def _esmtp_injection(lab: Testbed) -> Evidence:
    peer = await _smtp(lab, b"STARTTLS\r\nMAIL FROM:<attacker@example.org>\r\n")
    await lab.until(lambda: peer.clear)
    return evidence(
        peer.clear.startswith(b"250"),
        "in one segment, in the clear: STARTTLS, MAIL FROM:<attacker@example.org>",
        f"then came through TLS, unasked: {peer.clear!r}",
    )


async def _esmtp_state(lab: Testbed) -> Evidence:
    peer = await _smtp(lab, b"MAIL FROM:<attacker@example.org>\r\nSTARTTLS\r\n")
    peer.send(b"RCPT TO:<victim@example.net>\r\n")
    await lab.must("answer RCPT", lambda: b"\r\n" in peer.clear)
    return evidence(
        peer.clear.startswith(b"250"),
        "in the clear: MAIL FROM:<attacker@example.org>, then STARTTLS",
        f"through TLS: RCPT TO without EHLO or MAIL, answered {peer.clear!r}",
    )


async def _imap_injection(lab: Testbed) -> Evidence:
    server = IMAP4Server(contextFactory=lab.server_options())
    peer = await lab.peer(lab.listen(factory_of(server)))
    await lab.must("greet", lambda: peer.wire.endswith(b"\r\n"))
    peer.transport.write(b"a STARTTLS\r\nb CAPABILITY\r\n")
    await lab.must("answer STARTTLS", lambda: b"a OK" in peer.wire)
    peer.start_tls(lab.foreign_context())
    await lab.must("complete the handshake", lambda: peer.complete)
    await lab.until(lambda: b"b OK" in peer.clear)
    return evidence(
        b"b OK" in peer.clear,
        "in one segment, in the clear: a STARTTLS, b CAPABILITY",
        f"then came through TLS, unasked: {peer.clear!r}",
    )


class _Sender(ESMTPClient):
    """A client with one mail."""

    requireTransportSecurity = True  # noqa: N815

    def getMailFrom(self) -> bytes | None:  # noqa: N802
        """Return the sender."""
        return b"sender@example.org"

    def getMailTo(self) -> list[bytes]:  # noqa: N802
        """Return the recipients."""
        return [b"recipient@example.net"]


async def _client_injection(lab: Testbed) -> Evidence:
    client = _Sender(None, lab.client_options(), b"client.example")
    client.requireAuthentication = False
    peer = Peer()
    lab.connect(lab.listen(factory_of(peer)), factory_of(client))
    await lab.must("connect", lambda: peer.transport is not None)
    peer.transport.write(b"220 server.example ESMTP\r\n")
    await lab.must("say EHLO", lambda: b"EHLO" in peer.wire)
    peer.transport.write(b"250-server.example\r\n250 STARTTLS\r\n")
    await lab.must("say STARTTLS", lambda: b"STARTTLS" in peer.wire)
    in_clear, context = peer.wire, lab.foreign_context(server=True)
    peer.transport.write(b"220 go ahead\r\n250-forged.example\r\n250 8BITMIME\r\n")
    peer.start_tls(context, server=True)
    await lab.must("complete the handshake", lambda: peer.complete)
    await lab.until(lambda: b"MAIL" in peer.clear)
    return evidence(
        b"MAIL FROM" in peer.clear,
        f"the client said in the clear: {in_clear!r}",
        "in one segment, in the clear: 220 go ahead, and a forged answer to the next EHLO",
        f"the client said through TLS, where nothing was answered: {peer.clear!r}",
    )


FINDINGS = (
    Finding(
        "esmtp-server-injection",
        "The ESMTP server of twisted.mail obeys commands that were injected behind STARTTLS.",
        "It is a LineReceiver that calls startTLS and goes on with the lines it has "
        "(starttls-injection). A command that somebody on the way adds to the client's STARTTLS "
        "is executed in the session that the client then believes protected: the beginning of a "
        "mail of the attacker, for instance (CVE-2011-0411). RFC 3207 demands to forget what was "
        "there before. Do not offer STARTTLS with it; tlsdemo's dialect smtp refuses such a "
        "client.",
        _esmtp_injection,
    ),
    Finding(
        "esmtp-state-survives-starttls",
        "A MAIL FROM that was given before TLS is still valid in the ESMTP server afterwards.",
        "RFC 3207, 4.2 has the server forget all that it learned in the clear. The ESMTP server "
        "of twisted.mail keeps EHLO and MAIL FROM, so what an attacker said before STARTTLS "
        "becomes part of the protected session, without any trick with segments. Reset the "
        "session at the upgrade; with tlsdemo the application begins anew behind TLS.",
        _esmtp_state,
    ),
    Finding(
        "imap4-server-injection",
        "The IMAP4 server of twisted.mail obeys commands that were injected behind STARTTLS.",
        "As with ESMTP, lines that came together with STARTTLS are obeyed, and their answers "
        "go out through TLS. An attacker can so put a LOGIN of his own before that of the "
        "client, who then stores mail in the attacker's mailbox. Do not offer STARTTLS with it; "
        "tlsdemo's dialect imap refuses such a client.",
        _imap_injection,
    ),
    Finding(
        "esmtp-client-injection",
        "The ESMTP client of twisted.mail takes answers that were injected behind the go-ahead.",
        "The same in the other direction: what somebody on the way adds to the server's 220 "
        "counts as the answer to the EHLO that the client sends through TLS. Which extensions "
        "and which ways to log in the client believes in is then the attacker's choice, and "
        "from then on it is one answer ahead. Discard what came with the go-ahead; in tlsdemo a "
        "client refuses to go on.",
        _client_injection,
    ),
)
