"""Findings about the moment in which a plain connection becomes TLS."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import ISSLTransport
from twisted.protocols.basic import LineReceiver

from tlsdemo.lab.findings.finding import TICKET, Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, Recording, factory_of, name_of
from tlsdemo.lab.findings.testbed import LOOPBACK, NOTHING_HAPPENS, Testbed

_GO_AHEAD = b"go ahead\r\n"


class _Naive(LineReceiver):
    """A server with STARTTLS as one writes it at first: a line, an answer, ``startTLS``."""

    transport: Any

    def __init__(self, options: Any) -> None:
        self._options = options
        self.obeyed: list[bytes] = []
        self.marked_secure = False

    def lineReceived(self, line: bytes) -> None:
        """Do what the line says."""
        if line == b"STARTTLS":
            self.transport.write(_GO_AHEAD)
            self.transport.startTLS(self._options)
            return
        self.obeyed.append(line)
        self.marked_secure = ISSLTransport.providedBy(self.transport)
        self.sendLine(b"done: " + line)


async def _injection(lab: Testbed) -> Evidence:
    server = _Naive(lab.server_options())
    peer = await lab.peer(lab.listen(factory_of(server)))
    peer.transport.write(b"STARTTLS\r\nDELETE everything\r\n")
    await lab.must("answer STARTTLS", lambda: peer.wire.startswith(_GO_AHEAD))
    obeyed_before = list(server.obeyed)
    peer.start_tls(lab.foreign_context())
    await lab.must("complete the handshake", lambda: peer.complete)
    await lab.until(lambda: peer.clear)
    return evidence(
        bool(obeyed_before),
        "in one segment, in the clear: STARTTLS, DELETE everything",
        f"obeyed before the handshake: {obeyed_before!r}",
        f"ISSLTransport.providedBy(transport) while it was: {server.marked_secure}",
        f"then came through TLS, as if asked for there: {peer.clear!r}",
    )


async def _swallowed(lab: Testbed) -> Evidence:
    for together in (False, True):
        server = _Naive(lab.server_options())
        peer = await lab.peer(lab.listen(factory_of(server)))
        peer.hold = True
        peer.start_tls(lab.foreign_context())
        hello = peer.taken()
        peer.hold = False
        peer.tls, tls = None, peer.tls
        peer.transport.write(b"STARTTLS\r\n" + hello * together)
        await lab.must("answer STARTTLS", lambda peer=peer: peer.wire == _GO_AHEAD)  # type: ignore[misc]
        peer.tls = tls
        if not together:
            peer.transport.write(hello)
            await lab.must("complete the handshake", lambda peer=peer: peer.complete)  # type: ignore[misc]
        else:
            await lab.until(lambda peer=peer: peer.complete, NOTHING_HAPPENS)  # type: ignore[misc]
    answered = len(peer.wire) - len(_GO_AHEAD)
    return evidence(
        not peer.complete,
        "STARTTLS, and the ClientHello in a segment of its own: the handshake completes",
        "both in one segment: the handshake "
        f"{'completes' if peer.complete else 'does not complete'}; {answered} B in answer to the "
        f"ClientHello within {NOTHING_HAPPENS:g} s; the connection is "
        f"{'lost' if peer.lost else 'open'}",
    )


async def _twice(lab: Testbed) -> Evidence:
    application, raised = Listening(), []

    def begin() -> None:
        for _ in range(2):
            try:
                application.transport.startTLS(lab.server_options())
            except Exception as problem:
                raised.append(name_of(problem))

    application.on_made = begin
    peer = await lab.peer(lab.listen(factory_of(application)))
    peer.start_tls(lab.foreign_context())
    await lab.until(lambda: peer.complete or application.lost)
    if peer.complete:
        peer.send(b"hello")
    await lab.until(lambda: application.lost or application.received)
    usable = application.received == [b"hello"]
    return evidence(
        not raised and not usable,
        f"startTLS, and startTLS again, raised: {', '.join(raised) or 'nothing'}",
        f"the client's handshake completes: {peer.complete}",
        f"data of the client reaches the application: {usable}",
        f"the application was told: {application.told}",
    )


async def _marked(lab: Testbed) -> Evidence:
    application, marks = Recording(), []

    def begin() -> None:
        marks.append(ISSLTransport.providedBy(application.transport))
        application.transport.startTLS(lab.server_options())
        marks.append(ISSLTransport.providedBy(application.transport))

    application.on_made = begin
    peer = await lab.peer(lab.listen(factory_of(application)))
    await lab.must("call startTLS", lambda: len(marks) == 2)
    return evidence(
        marks == [False, True],
        f"before startTLS: ISSLTransport.providedBy(transport) is {marks[0]}",
        f"when it has returned, with {len(peer.wire)} B exchanged: {marks[1]}",
        f"the peer's certificate then: {application.transport.getPeerCertificate()}",
    )


async def _connected_early(lab: Testbed) -> Evidence:
    server, client = Listening(), Listening()
    port = lab.serve(server, "wrapped")
    endpoint = wrapClientTLS(
        lab.client_options(trusting=False), TCP4ClientEndpoint(lab.reactor, LOOPBACK, port)
    )
    await endpoint.connect(factory_of(client))
    # TLS is between the application and what has to be cleared away.
    lab.watch(client.transport)
    at_connect = client.told
    await lab.must("end", lambda: client.lost)
    return evidence(
        "connectionLost" not in at_connect and not client.complete,
        "the server's certificate is of an authority that the client does not trust",
        f"connect() gave a protocol, which had been told: {at_connect}",
        f"and in the end: {client.told}",
    )


async def _connection_made(lab: Testbed) -> Evidence:
    application, seen = Recording(), []
    application.on_made = lambda: seen.append(application.transport.getPeerCertificate())
    options = lab.server_options(demand=True)
    peer = await lab.peer(lab.listen(lab.wrapped(options, application)))
    await lab.until(lambda: seen)
    return evidence(
        bool(seen),
        f"the client has sent nothing, and {len(peer.wire)} B came from the server",
        f"the application was told: {application.told}",
        f"the client's certificate, which is demanded: {seen[0] if seen else 'not asked for'}",
    )


async def _long_line(lab: Testbed) -> Evidence:
    server = _Naive(lab.server_options())
    reasons: list[str] = []
    server.connectionLost = lambda reason: reasons.append(name_of(reason.value))  # type: ignore[method-assign, misc, assignment]
    peer = await lab.peer(lab.listen(factory_of(server)))
    sent = server.MAX_LENGTH + 1000
    peer.transport.write(b"x" * sent)
    await lab.until(lambda: peer.lost)
    return evidence(
        reasons == ["ConnectionDone"] and not lab.logged and not peer.wire,
        f"{sent:,} B without a line's end, MAX_LENGTH is {server.MAX_LENGTH:,}",
        f"the application was told: connectionLost({', '.join(reasons) or 'not yet'})",
        f"the client was told {len(peer.wire)} B; logged: {', '.join(lab.logged) or 'nothing'}",
    )


FINDINGS = (
    Finding(
        "starttls-injection",
        "What comes in one segment with STARTTLS is obeyed as if it had come through TLS.",
        "A LineReceiver goes on with the lines that it has already got, also when one of them "
        "has called startTLS. So a line that somebody on the way puts behind STARTTLS, in the "
        "clear, is obeyed before the handshake has begun, while the transport already says that "
        "it is secure, and its answer goes out encrypted. This is the hole of CVE-2011-0411: "
        "commands of an attacker run in the session of the victim. Clear the rest of the line "
        "buffer at the upgrade, or refuse to go on; in tlsdemo every dialect hands what is left "
        "over to one function that refuses it (injected plaintext).",
        _injection,
    ),
    Finding(
        "swallowed-client-hello",
        "A ClientHello that comes in one segment with STARTTLS is lost, and the connection hangs.",
        "A client that is sure of the answer may send its ClientHello right behind STARTTLS. A "
        "LineReceiver has then already read it, startTLS knows nothing of it, and it is taken "
        "for half a line. Both sides wait for each other for ever, and nothing tells of it. Hand "
        "what is left over to TLS: transport.protocol.dataReceived(rest) after startTLS; in "
        "tlsdemo a server takes what looks like a ClientHello for the beginning of TLS.",
        _swallowed,
    ),
    Finding(
        "start-tls-twice",
        "To call startTLS twice raises nothing and breaks the connection.",
        "The second call puts TLS into TLS, which no peer expects. A server that forgets that it "
        "is secure already, for instance because it takes STARTTLS once more, thus ruins the "
        "stream without an exception at the place of the mistake. Remember the state yourself "
        "and refuse a second STARTTLS; in tlsdemo a dialogue that has switched is never fed "
        "again.",
        _twice,
    ),
    Finding(
        "secure-mark-before-handshake",
        "A transport provides ISSLTransport from startTLS on, before anything is encrypted.",
        "The interface documentation suggests ISSLTransport.providedBy(transport) as the test "
        "for a secure connection. It only says that startTLS was called: no handshake has "
        "happened, nobody is verified and there is no certificate. Whoever lets people log in "
        "on the strength of it can be talked to in the clear (starttls-injection). Wait for "
        "handshakeCompleted, or for tlsdemo's event secure.",
        _marked,
    ),
    Finding(
        "connect-before-verification",
        "connect() of wrapClientTLS succeeds before the server is verified.",
        "The Deferred fires when TCP is connected. The handshake has not begun by then, so a "
        "server with a wrong, expired or untrusted certificate gives a connected protocol all "
        "the same, and the failure only comes later, through connectionLost. Code that counts a "
        "fired connect() as success, a retry or a fallback, is misled. Wait for "
        "handshakeCompleted before you count it; tlsdemo's secure and insecure are exactly that "
        "outcome.",
        _connected_early,
        ticket=f"{TICKET}12075",
    ),
    Finding(
        "connection-made-before-handshake",
        "connectionMade of a TLS server is called before the handshake.",
        "An application behind TLSMemoryBIOFactory or an ssl: endpoint gets connectionMade at "
        "once, when not a byte has been exchanged. The peer's certificate is None, ALPN is "
        "unknown, and what is written waits in memory. Resources that are taken there are taken "
        "for anybody who can connect. Do such things in handshakeCompleted; in tlsdemo an "
        "application is connected only when the connection is secure.",
        _connection_made,
        ticket=f"{TICKET}3687",
    ),
    Finding(
        "long-line-ends-clean",
        "A line that is too long ends the connection without a word, as if it had ended well.",
        "LineReceiver closes when a line exceeds MAX_LENGTH: the application is told "
        "ConnectionDone, the peer nothing, and the log nothing. Before TLS that is where "
        "scanners and attackers turn up, and none of it is to be seen. Override "
        "lineLengthExceeded to say and log why; in tlsdemo it is a refusal with a cause (too "
        "much before TLS).",
        _long_line,
        ticket=f"{TICKET}3542",
    ),
)
