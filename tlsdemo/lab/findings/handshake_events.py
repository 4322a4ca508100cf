"""Findings about what an application learns of a handshake, and when."""

from __future__ import annotations

import ssl
from contextlib import suppress

from OpenSSL import SSL
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    RecordingProtocol,
    exception_text,
    factory_of,
)
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import QUIET, NoVerdict, Testbed
from tlsdemo.reporting.finding_result import Evidence


class _MethodOnly(RecordingProtocol):
    """Has the method, and does not declare the interface."""

    def handshakeCompleted(self) -> None:
        """Record the callback."""
        self.callbacks.append("handshakeCompleted")


async def _method_only(testbed: Testbed) -> Evidence:
    bare, declared = _MethodOnly(), HandshakeRecorder()
    for application in (bare, declared):
        await _deliver(testbed, application)
    return evidence(
        "handshakeCompleted" not in bare.callbacks and declared.handshake_completed,
        f"with a method of that name, callbacks: {bare.callbacks_text}",
        f"with @implementer(IHandshakeListener) too, callbacks: {declared.callbacks_text}",
    )


async def _deliver(testbed: Testbed, application: RecordingProtocol) -> None:
    peer = await testbed.connect_secured(testbed.serve(application, "wrapped"))
    peer.send(b"hello")
    await testbed.require("deliver", lambda: application.received)


class _Counter(ProtocolWrapper):
    """Sits between TLS and TCP, and counts the bytes that TLS writes."""

    written = 0

    def write(self, data: bytes) -> None:
        """Count the bytes, and pass them on."""
        self.written += len(data)
        super().write(data)


async def _last_flight(testbed: Testbed) -> Evidence:
    lines, late = [], []
    for version, client in ((ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)):
        context = testbed.stdlib_context(client, version)
        at_event, in_all = await _written(testbed, context, client)
        late.append(in_all > at_event)
        lines.append(
            f"{version.name.replace('v1_', ' 1.')} {'client' if client else 'server'}: "
            f"{at_event:,} B written when handshakeCompleted is called, {in_all:,} B when the "
            "peer's handshake is complete"
        )
    return evidence(all(late), *lines)


async def _written(testbed: Testbed, context: ssl.SSLContext, client: bool) -> list[int]:
    """Return how much was written by the time of the callback, and in the whole handshake."""
    application, counts = HandshakeRecorder(), []
    options = testbed.client_options() if client else testbed.server_options()
    counting = WrappingFactory(testbed.tls_factory(options, application, client=client))
    counting.protocol, counting.noisy = _Counter, False

    def count() -> None:
        counts.append(application.transport.transport.written)

    application.on_handshake = count
    if client:
        port, peer = testbed.stdlib_server(context)
        testbed.connect(port, counting)
        await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    else:
        await testbed.connect_secured(testbed.listen(counting), context)
    count()
    return counts


async def _rejected_client(testbed: Testbed) -> Evidence:
    server, client = HandshakeRecorder(), HandshakeRecorder()
    port = testbed.serve(server, "wrapped", testbed.server_options(require_certificate=True))
    testbed.connect(port, testbed.tls_factory(testbed.client_options(), client, client=True))
    await testbed.require("end", lambda: client.lost and server.lost)
    assert client.reason is not None
    return evidence(
        client.handshake_completed and not server.handshake_completed,
        "a client without the certificate that the server requires, TLS 1.3",
        f"callbacks of the client: {client.callbacks_text}: {exception_text(client.reason)}",
        f"callbacks of the server: {server.callbacks_text}",
    )


async def _failed(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    peer = await testbed.connect_peer(testbed.serve(application, "wrapped"))
    peer.start_tls(testbed.stdlib_context(trusting=False))
    await testbed.require("end", lambda: application.lost)
    assert application.reason is not None
    return evidence(
        len(application.callbacks) == 2 and not testbed.logged,
        "a client that does not trust the server's certificate sends an alert and closes",
        f"callbacks of the server: {application.callbacks_text}: "
        f"{exception_text(application.reason)}",
        f"logged: {', '.join(testbed.logged) or 'nothing'}",
    )


async def _never_ending(testbed: Testbed) -> Evidence:
    connections = []
    for mode in ("wrapped", "startTLS"):
        application = HandshakeRecorder()
        peer = await testbed.connect_peer(testbed.serve(application, mode))
        peer.hold_output = True
        peer.start_tls(testbed.stdlib_context())
        connections.append((mode, application, peer))
    before = testbed.delayed_calls()
    for _, _, peer in connections:
        hello = peer.take_output()
        peer.transport.write(hello[: len(hello) // 2])
    await testbed.wait_until_quiet()
    timers = testbed.delayed_calls() - before
    return evidence(
        not timers and not any(server.lost or client.lost for _, server, client in connections),
        *(
            f"{mode}: half a ClientHello, and {QUIET:g} s later the connection is "
            f"{'lost' if application.lost else 'open'}; timers in the reactor that could close "
            f"it: {len(timers)}; callbacks of the server: {application.callbacks_text}"
            for mode, application, _ in connections
        ),
    )


async def _renegotiation(testbed: Testbed) -> Evidence:
    application, peer = HandshakeRecorder(), StdlibPeer()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    tls = SSL.Connection(context, None)
    tls.set_connect_state()
    testbed.connect(testbed.serve(application, "wrapped"), factory_of(peer))
    await testbed.require("connect", lambda: peer.transport)
    errors: list[str] = []

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
                errors.append(exception_text(problem) or type(problem).__name__)
        with suppress(SSL.WantReadError):
            peer.transport.write(tls.bio_read(1 << 15))

    peer.on_received = advance
    advance()
    await testbed.require("complete the handshake", lambda: application.handshake_completed)
    await testbed.pause(0.02)
    if not tls.renegotiate():
        raise NoVerdict("this OpenSSL does not start a renegotiation as a client")
    advance()
    await testbed.require("answer", lambda: errors)
    await testbed.wait_until(lambda: application.lost, QUIET)
    completed = application.callbacks.count("handshakeCompleted")
    return evidence(
        errors[:1] == ["no renegotiation"] and completed == 1,
        "a client on TLS 1.2 requests a renegotiation once the handshake is complete",
        f"the client's error: {', '.join(errors[:1]) or 'none'}",
        f"callbacks of the server: {application.callbacks_text}",
    )


FINDINGS = (
    Finding(
        "handshake-method-not-called",
        "A handshakeCompleted method is never called unless the protocol declares the interface.",
        "TLS checks whether the protocol provides IHandshakeListener, not whether it has the "
        "method. Without @implementer the method is dead code: there is no error and no warning, "
        "and the checks in it never run. Declare the interface, and write a test that the method "
        "is called; tlsdemo's listeners are plain methods that are always called.",
        _method_only,
    ),
    Finding(
        "handshake-completed-before-last-flight",
        "handshakeCompleted is called before the last bytes of the handshake are written.",
        "It is called when OpenSSL's handshake function returns, and only then is OpenSSL's "
        "remaining output given to the transport. At that moment the peer cannot have completed "
        "its own handshake, so code that takes over the connection or measures time there is one "
        "flight too early. Do it an iteration of the reactor later; tlsdemo's event secure comes "
        "when the transport has the last flight.",
        _last_flight,
    ),
    Finding(
        "handshake-completed-though-rejected",
        "With TLS 1.3, handshakeCompleted is called on a client that the server is rejecting.",
        "In TLS 1.3 the client's handshake is complete once it has sent its certificate, before "
        "the server has verified it. A client with a missing, expired or untrusted certificate "
        "therefore gets handshakeCompleted, and connectionLost a moment later. A client that "
        "counts this as success, and resets its reconnect delay, keeps hammering a server that "
        "will never accept it. Only data from the server proves that it accepted the client; that "
        "is tlsdemo's event confirmed.",
        _rejected_client,
    ),
    Finding(
        "no-event-for-failed-handshake",
        "There is no callback for a handshake that fails, and nothing is logged.",
        "IHandshakeListener has one method, for success. A failed handshake is a connectionLost "
        "like any other. A server that wants to count or log failures has to remember, for each "
        "connection, that handshakeCompleted has not been called, and to guess the cause from the "
        "exception. By default nobody notices that every client fails. Log a connectionLost "
        "without handshakeCompleted; tlsdemo has an event for it, insecure, with the cause.",
        _failed,
    ),
    Finding(
        "no-handshake-timeout",
        "A handshake that never completes is never timed out.",
        "Neither TLSMemoryBIOFactory nor startTLS sets a timer. A client that sends half a "
        "ClientHello and then nothing keeps its connection, a file descriptor and about 40 KiB "
        "for as long as it likes, and a few thousand such clients stop a server. The reproduction "
        "waits only a moment, but it shows that there is no timer that could close the connection "
        "later. Start one in connectionMade and stop it in handshakeCompleted; tlsdemo has a "
        "timeout for every phase.",
        _never_ending,
    ),
    Finding(
        "renegotiation-without-event",
        "A client's renegotiation is refused, and no callback reports the attempt.",
        "OpenSSL refuses renegotiation by clients on its own, which is good: it used to be a way "
        "to make servers do expensive work for nothing. But handshakeCompleted is called once, "
        "whatever is requested later, and all that a server learns is the connectionLost of a "
        "client that gives up. Do not wait for a second handshakeCompleted, and do not expect to "
        "count the attempts there; tlsdemo reports the cause of the end.",
        _renegotiation,
    ),
)
