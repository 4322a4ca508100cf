"""Findings about what an application is told of a handshake, and when."""

from __future__ import annotations

import ssl
from contextlib import suppress

from OpenSSL import SSL
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from tlsdemo.lab.findings.finding import CannotTell, Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, Recording, factory_of, words_of
from tlsdemo.lab.findings.stdlib_peer import Peer
from tlsdemo.lab.findings.testbed import NOTHING_HAPPENS, Testbed


class _MethodOnly(Recording):
    """Has the method, and does not say that it provides the interface."""

    def handshakeCompleted(self) -> None:
        """Note it."""
        self.events.append("handshakeCompleted")


async def _method_only(lab: Testbed) -> Evidence:
    told = {}
    for application in (_MethodOnly(), Listening()):
        peer = await lab.secured(lab.serve(application, "wrapped"))
        peer.send(b"hello")
        await lab.must("deliver", lambda each=application: each.received)  # type: ignore[misc]
        told[type(application)] = application
    bare, declared = told[_MethodOnly], told[Listening]
    return evidence(
        "handshakeCompleted" not in bare.events and "handshakeCompleted" in declared.events,
        f"with a method of that name: {bare.told}",
        f"with @implementer(IHandshakeListener) as well: {declared.told}",
    )


class _Tap(ProtocolWrapper):
    """Between TLS and TCP: counts what TLS has written."""

    written = 0

    def write(self, data: bytes) -> None:
        """Count and pass on."""
        self.written += len(data)
        super().write(data)


async def _last_flight(lab: Testbed) -> Evidence:
    seen, late = [], []
    for version, client in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        at_event, in_all = await _written(lab, lab.foreign_context(client, version), client)
        late.append(in_all > at_event)
        seen.append(
            f"{version.name.replace('v1_', ' 1.')} {'client' if client else 'server'}: "
            f"{at_event:,} B written when handshakeCompleted is called, {in_all:,} B when the "
            "peer's handshake is complete"
        )
    return evidence(all(late), *seen)


async def _written(lab: Testbed, context: ssl.SSLContext, client: bool) -> list[int]:
    """Return how much was written at the event, and in the whole handshake."""
    application, counts = Listening(), []
    options = lab.client_options() if client else lab.server_options()
    taps = WrappingFactory(lab.wrapped(options, application, client=client))
    taps.protocol, taps.noisy = _Tap, False

    def count() -> None:
        counts.append(application.transport.transport.written)

    application.on_handshake = count
    if client:
        port, peer = lab.foreign_server(context)
        lab.connect(port, taps)
        await lab.must("complete the handshake", lambda: peer.complete)
    else:
        await lab.secured(lab.listen(taps), context)
    count()
    return counts


async def _rejected_client(lab: Testbed) -> Evidence:
    server, client = Listening(), Listening()
    port = lab.serve(server, "wrapped", lab.server_options(demand=True))
    lab.connect(port, lab.wrapped(lab.client_options(), client, client=True))
    await lab.must("end", lambda: client.lost and server.lost)
    assert client.reason is not None
    return evidence(
        client.complete and not server.complete,
        "a client without the certificate that the server demands, TLS 1.3",
        f"the client was told: {client.told}: {words_of(client.reason)}",
        f"the server was told: {server.told}",
    )


async def _failed(lab: Testbed) -> Evidence:
    application = Listening()
    peer = await lab.peer(lab.serve(application, "wrapped"))
    peer.start_tls(lab.foreign_context(trusting=False))
    await lab.must("end", lambda: application.lost)
    assert application.reason is not None
    return evidence(
        len(application.events) == 2 and not lab.logged,
        "a client that does not trust the server's certificate says so and leaves",
        f"the server was told: {application.told}: {words_of(application.reason)}",
        f"logged: {', '.join(lab.logged) or 'nothing'}",
    )


async def _never_ending(lab: Testbed) -> Evidence:
    seen, stuck = [], []
    for way in ("wrapped", "startTLS"):
        application = Listening()
        peer = await lab.peer(lab.serve(application, way))
        peer.hold = True
        peer.start_tls(lab.foreign_context())
        hello, before = peer.taken(), lab.timers()
        peer.transport.write(hello[: len(hello) // 2])
        await lab.pause()
        timers = lab.timers() - before
        stuck.append(not timers and not application.lost and not peer.lost)
        seen.append(
            f"{way}: half a ClientHello, and {NOTHING_HAPPENS:g} s later the connection is "
            f"{'lost' if application.lost else 'open'}; timers of the reactor that could end it: "
            f"{len(timers)}; the application was told: {application.told}"
        )
    return evidence(all(stuck), *seen)


async def _renegotiation(lab: Testbed) -> Evidence:
    application, peer = Listening(), Peer()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    tls = SSL.Connection(context, None)
    tls.set_connect_state()
    lab.connect(lab.serve(application, "wrapped"), factory_of(peer))
    await lab.must("connect", lambda: peer.transport)
    heard: list[str] = []

    def advance() -> None:
        if peer.wire:
            tls.bio_write(peer.wire)
            peer.wire = b""
        for step in (tls.do_handshake, lambda: tls.recv(1 << 14)):
            try:
                step()
            except SSL.WantReadError:
                pass
            except SSL.Error as problem:
                heard.append(words_of(problem) or type(problem).__name__)
        with suppress(SSL.WantReadError):
            peer.transport.write(tls.bio_read(1 << 15))

    peer.on_wire = advance
    advance()
    await lab.must("complete the handshake", lambda: application.complete)
    await lab.pause(0.02)
    if not tls.renegotiate():
        raise CannotTell("this OpenSSL does not begin a renegotiation as a client")
    advance()
    await lab.must("answer", lambda: heard)
    await lab.until(lambda: application.lost, NOTHING_HAPPENS)
    completed = application.events.count("handshakeCompleted")
    return evidence(
        heard[:1] == ["no renegotiation"] and completed == 1,
        "a client on TLS 1.2 asks for a renegotiation once the handshake is complete",
        f"the client was told: {', '.join(heard[:1]) or 'nothing'}",
        f"the server was told: {application.told}",
    )


FINDINGS = (
    Finding(
        "handshake-method-not-called",
        "A handshakeCompleted method is never called unless the protocol provides the interface.",
        "TLS asks whether the protocol provides IHandshakeListener, not whether it has the "
        "method. Without @implementer the method is dead code: no error, no warning, and what "
        "it was to check is never checked. Declare the interface, and have a test that sees the "
        "method called; tlsdemo's listeners are plain methods that are always called.",
        _method_only,
    ),
    Finding(
        "handshake-completed-before-last-flight",
        "handshakeCompleted is called before the last bytes of the handshake are written.",
        "It is called when OpenSSL's handshake returns, and only afterwards is what OpenSSL has "
        "left to say given to the transport. So at that moment the peer cannot have completed "
        "its handshake yet, and whoever takes the connection away then, or measures, is a "
        "flight too early. Do such things a turn of the reactor later; tlsdemo's secure comes "
        "when the last flight is with the transport.",
        _last_flight,
    ),
    Finding(
        "handshake-completed-though-rejected",
        "With TLS 1.3 a client is told handshakeCompleted by a server that is rejecting it.",
        "In TLS 1.3 the client's handshake is complete when it has sent its certificate, before "
        "the server has looked at it. A client with a missing, expired or untrusted certificate "
        "so gets handshakeCompleted, and a moment later connectionLost. Clients that count it "
        "as success, and reset their delay to try again, hammer a server that will never have "
        "them. Only what comes from the server proves that it accepted; tlsdemo's event "
        "confirmed is that.",
        _rejected_client,
    ),
    Finding(
        "no-event-for-failed-handshake",
        "There is no event for a handshake that fails, and nothing is logged.",
        "IHandshakeListener has one method, for success. A failed handshake is a connectionLost "
        "like any other, and a server that wants to count or log failures has to remember for "
        "each connection that handshakeCompleted has not come, and to guess from the exception. "
        "By default nobody ever sees that all clients fail. Log connectionLost without "
        "handshakeCompleted; tlsdemo tells insecure, with the cause.",
        _failed,
    ),
    Finding(
        "no-handshake-timeout",
        "A handshake that never ends stays for ever.",
        "Neither TLSMemoryBIOFactory nor startTLS sets any timer: a client that says half a "
        "ClientHello and falls silent keeps its connection, its descriptor and some 40 KiB for "
        "as long as it likes. A few thousand of them stop a server. The reproduction waits "
        "only a moment, but shows that no timer exists that could end it later. Set one in "
        "connectionMade and stop it in handshakeCompleted; in tlsdemo every phase has a "
        "deadline.",
        _never_ending,
    ),
    Finding(
        "renegotiation-without-event",
        "A client's renegotiation is refused, and no event tells of the attempt.",
        "OpenSSL refuses renegotiation from clients by itself, which is good: it was a way to "
        "make servers work for nothing. But handshakeCompleted comes once, whatever is asked "
        "for afterwards, and all that a server learns is the connectionLost of a client that "
        "gives up. So do not wait for a second handshakeCompleted, and do not hope to count "
        "the attempts there; tlsdemo names the cause of the end.",
        _renegotiation,
    ),
)
