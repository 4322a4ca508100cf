"""Findings about the upgrade of a plain connection to TLS."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import ISSLTransport
from twisted.protocols.basic import LineReceiver

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    RecordingProtocol,
    exception_name,
    factory_of,
)
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import LOOPBACK, QUIET, Testbed
from tlsdemo.reporting.finding_result import Evidence

_GO_AHEAD = b"go ahead\r\n"


class _Naive(LineReceiver):
    """A STARTTLS server as one first writes it: a line, an answer, ``startTLS``."""

    transport: Any

    def __init__(self, options: Any) -> None:
        self._options = options
        self.executed: list[bytes] = []
        self.marked_secure = False

    def lineReceived(self, line: bytes) -> None:
        """Execute the command in ``line``."""
        if line == b"STARTTLS":
            self.transport.write(_GO_AHEAD)
            self.transport.startTLS(self._options)
            return
        self.executed.append(line)
        self.marked_secure = ISSLTransport.providedBy(self.transport)
        self.sendLine(b"done: " + line)


async def _injection(testbed: Testbed) -> Evidence:
    server = _Naive(testbed.server_options())
    peer = await testbed.connect_peer(testbed.listen(factory_of(server)))
    peer.transport.write(b"STARTTLS\r\nDELETE everything\r\n")
    await testbed.require("answer STARTTLS", lambda: peer.wire.startswith(_GO_AHEAD))
    executed_before = list(server.executed)
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    if executed_before:
        await testbed.require("answer the command", lambda: peer.cleartext)
    return evidence(
        bool(executed_before),
        "in one segment of plaintext: STARTTLS, DELETE everything",
        f"executed before the handshake: {executed_before!r}",
        f"ISSLTransport.providedBy(transport) at that time: {server.marked_secure}",
        f"received through TLS, as if it had been requested there: {peer.cleartext!r}",
    )


async def _swallowed(testbed: Testbed) -> Evidence:
    await _hello_after_starttls(testbed, one_segment=False)
    peer = await _hello_after_starttls(testbed, one_segment=True)
    answered = len(peer.wire) - len(_GO_AHEAD)
    return evidence(
        not peer.handshake_completed,
        "STARTTLS, and the ClientHello in a segment of its own: the handshake completes",
        "both in one segment: the handshake "
        f"{'completes' if peer.handshake_completed else 'does not complete'}; {answered} B in "
        f"answer to the ClientHello within {QUIET:g} s; the connection is "
        f"{'lost' if peer.lost else 'open'}",
    )


async def _hello_after_starttls(testbed: Testbed, one_segment: bool) -> StdlibPeer:
    """Send STARTTLS and a ClientHello to the naive server, and return the client."""
    server = _Naive(testbed.server_options())
    peer = await testbed.connect_peer(testbed.listen(factory_of(server)))
    peer.hold_output = True
    peer.start_tls(testbed.stdlib_context())
    hello = peer.take_output()
    peer.hold_output = False
    peer.tls, tls = None, peer.tls
    peer.transport.write(b"STARTTLS\r\n" + hello * one_segment)
    await testbed.require("answer STARTTLS", lambda: peer.wire == _GO_AHEAD)
    peer.tls = tls
    if one_segment:
        await testbed.wait_until_quiet()
    else:
        peer.transport.write(hello)
        await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    return peer


async def _twice(testbed: Testbed) -> Evidence:
    application, raised = HandshakeRecorder(), []

    def begin() -> None:
        for _ in range(2):
            try:
                application.transport.startTLS(testbed.server_options())
            except Exception as problem:
                raised.append(exception_name(problem))

    application.on_connected = begin
    peer = await testbed.connect_peer(testbed.listen(factory_of(application)))
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("end the handshake", lambda: peer.handshake_completed or application.lost)
    if peer.handshake_completed:
        peer.send(b"hello")
    await testbed.require("receive data, or end", lambda: application.lost or application.received)
    usable = application.received == [b"hello"]
    return evidence(
        not raised and not usable,
        f"exceptions of two calls of startTLS: {', '.join(raised) or 'none'}",
        f"the client's handshake completes: {peer.handshake_completed}",
        f"the client's data reaches the application: {usable}",
        f"callbacks of the application: {application.callbacks_text}",
    )


async def _marked(testbed: Testbed) -> Evidence:
    application, marks = RecordingProtocol(), []

    def begin() -> None:
        marks.append(ISSLTransport.providedBy(application.transport))
        application.transport.startTLS(testbed.server_options())
        marks.append(ISSLTransport.providedBy(application.transport))

    application.on_connected = begin
    peer = await testbed.connect_peer(testbed.listen(factory_of(application)))
    await testbed.require("call startTLS", lambda: len(marks) == 2)
    return evidence(
        marks == [False, True],
        f"before startTLS: ISSLTransport.providedBy(transport) is {marks[0]}",
        f"after startTLS, with {len(peer.wire)} B received by the client: {marks[1]}",
        f"the peer's certificate at that time: {application.transport.getPeerCertificate()}",
    )


async def _connected_early(testbed: Testbed) -> Evidence:
    server, client = HandshakeRecorder(), HandshakeRecorder()
    port = testbed.serve(server, "wrapped")
    endpoint = wrapClientTLS(
        testbed.client_options(trusting=False), TCP4ClientEndpoint(testbed.reactor, LOOPBACK, port)
    )
    await endpoint.connect(factory_of(client))
    # TLS is between the application and the TCP transport.
    testbed.close_at_end(client.transport)
    callbacks_at_connect = client.callbacks_text
    await testbed.require("end", lambda: client.lost)
    return evidence(
        "connectionLost" not in callbacks_at_connect and not client.handshake_completed,
        "the server's certificate is from an authority that the client does not trust",
        f"connect() returns a protocol; its callbacks by then: {callbacks_at_connect}",
        f"its callbacks in the end: {client.callbacks_text}",
    )


async def _connection_made(testbed: Testbed) -> Evidence:
    application, seen = RecordingProtocol(), []
    application.on_connected = lambda: seen.append(application.transport.getPeerCertificate())
    options = testbed.server_options(require_certificate=True)
    peer = await testbed.connect_peer(testbed.listen(testbed.tls_factory(options, application)))
    await testbed.require("call connectionMade", lambda: seen)
    return evidence(
        bool(seen),
        f"the client has sent nothing, and received {len(peer.wire)} B",
        f"callbacks of the application: {application.callbacks_text}",
        f"the client's certificate, which is required: {seen[0] if seen else 'not checked'}",
    )


async def _long_line(testbed: Testbed) -> Evidence:
    server = _Naive(testbed.server_options())
    reasons: list[str] = []
    server.connectionLost = lambda reason: reasons.append(exception_name(reason.value))  # type: ignore[method-assign, misc, assignment]
    peer = await testbed.connect_peer(testbed.listen(factory_of(server)))
    sent = server.MAX_LENGTH + 1000
    peer.transport.write(b"x" * sent)
    await testbed.require("close", lambda: peer.lost)
    return evidence(
        reasons == ["ConnectionDone"] and not testbed.logged and not peer.wire,
        f"{sent:,} B without a line ending; MAX_LENGTH is {server.MAX_LENGTH:,}",
        f"callbacks of the application: connectionLost({', '.join(reasons) or 'not yet'})",
        f"the client receives {len(peer.wire)} B; logged: {', '.join(testbed.logged) or 'nothing'}",
    )


FINDINGS = (
    Finding(
        "starttls-injection",
        "Data that arrives in one segment with STARTTLS is processed as if it came through TLS.",
        "A LineReceiver continues with the lines that it has already received, even if one of "
        "them has made it call startTLS. A command that an attacker on the network appends to "
        "STARTTLS, in plaintext, is therefore executed before the handshake has begun, while the "
        "transport already claims to be secure, and the answer to it is encrypted. This is the "
        "vulnerability of CVE-2011-0411: an attacker's commands run in the victim's session. "
        "Clear the line buffer at the upgrade, or refuse to continue; in tlsdemo every dialect "
        "passes the rest of its buffer to a single function, which refuses it (injected "
        "plaintext).",
        _injection,
    ),
    Finding(
        "swallowed-client-hello",
        "A ClientHello in one segment with STARTTLS is lost, and the connection hangs.",
        "A client that is sure of the answer may send its ClientHello right after STARTTLS. By "
        "then a LineReceiver has already read it; startTLS does not know about it, and it is "
        "treated as an incomplete line. Both sides wait for each other for ever, and nothing is "
        "logged. Pass the rest of the buffer to TLS: transport.protocol.dataReceived(rest) after "
        "startTLS. A tlsdemo server treats what looks like a ClientHello as the beginning of TLS.",
        _swallowed,
    ),
    Finding(
        "start-tls-twice",
        "Calling startTLS twice raises nothing and breaks the connection.",
        "The second call puts TLS inside TLS, which no peer expects. A server that forgets that "
        "the connection is already secure, for instance because it accepts a second STARTTLS, "
        "breaks the stream without an exception at the place of the mistake. Keep the state "
        "yourself and refuse a second STARTTLS; in tlsdemo a negotiation that has switched to TLS "
        "is never given data again.",
        _twice,
    ),
    Finding(
        "secure-mark-before-handshake",
        "A transport provides ISSLTransport as soon as startTLS is called.",
        "The documentation of the interface suggests ISSLTransport.providedBy(transport) as the "
        "test for a secure connection. It only means that startTLS has been called: there has "
        "been no handshake, nobody is verified, and there is no certificate. A server that "
        "accepts a login on that basis may be talking in plaintext (starttls-injection). Wait for "
        "handshakeCompleted, or for tlsdemo's event secure.",
        _marked,
    ),
    Finding(
        "connect-before-verification",
        "connect() of wrapClientTLS succeeds before the server is verified.",
        "The Deferred fires when TCP is connected, and the handshake has not begun by then. A "
        "server with a wrong, expired or untrusted certificate still gives you a connected "
        "protocol, and the failure comes later, in connectionLost. Code that treats a fired "
        "connect() as success, for retries or a fallback, is misled. Wait for handshakeCompleted; "
        "tlsdemo's events secure and insecure are exactly that outcome.",
        _connected_early,
        tickets=(12075,),
    ),
    Finding(
        "connection-made-before-handshake",
        "connectionMade of a TLS server is called before the handshake.",
        "An application behind TLSMemoryBIOFactory or an ssl: endpoint gets connectionMade at "
        "once, before a single byte has been exchanged. The peer's certificate is None, the ALPN "
        "protocol is unknown, and what is written waits in memory. Resources that are allocated "
        "there are allocated for anyone who can connect. Do that in handshakeCompleted; in "
        "tlsdemo an application is connected only when the connection is secure.",
        _connection_made,
        tickets=(3687, 5183),
    ),
    Finding(
        "long-line-ends-clean",
        "A line that is too long closes the connection silently, and the reason looks clean.",
        "LineReceiver closes the connection when a line exceeds MAX_LENGTH: the application gets "
        "ConnectionDone, the peer gets no answer, and nothing is logged. Before TLS this is where "
        "scanners and attackers show up, and none of it is visible. Override lineLengthExceeded "
        "to answer and to log; in tlsdemo it is a refusal with a cause (too much before TLS).",
        _long_line,
        tickets=(3542,),
    ),
)
