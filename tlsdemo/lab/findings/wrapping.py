"""Findings about protocols that are wrapped in another one, as behind a PROXY header."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import ISSLTransport
from twisted.protocols.policies import WrappingFactory

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    exception_name,
    exception_text,
    factory_of,
)
from tlsdemo.lab.findings.testbed import LOOPBACK, Testbed
from tlsdemo.reporting.finding_result import Evidence

_PROXY = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n"


def _starting_tls(testbed: Testbed) -> HandshakeRecorder:
    application = HandshakeRecorder()
    options = testbed.server_options()
    application.on_connected = lambda: application.transport.startTLS(options)
    return application


async def _deliver(testbed: Testbed, port: int, application: HandshakeRecorder) -> None:
    """Connect to ``application``, and have it receive something through TLS."""
    peer = await testbed.connect_secured(port)
    peer.send(b"hello")
    await testbed.require("deliver", lambda: application.received)


async def _bare_and_wrapped(testbed: Testbed) -> list[HandshakeRecorder]:
    applications = []
    for wrap in (lambda factory: factory, WrappingFactory):
        application = _starting_tls(testbed)
        factory: Any = wrap(factory_of(application))
        factory.noisy = False
        await _deliver(testbed, testbed.listen(factory), application)
        applications.append(application)
    return applications


async def _not_told(testbed: Testbed) -> Evidence:
    bare, wrapped = await _bare_and_wrapped(testbed)
    proxied = HandshakeRecorder()
    options = testbed.server_options()
    # The PROXY header must have been read before TLS begins.
    proxied.on_data = lambda _data: proxied.transport.startTLS(options)
    port = await testbed.listen_at(f"haproxy:tcp:0:interface={LOOPBACK}", factory_of(proxied))
    peer = await testbed.connect_peer(port)
    peer.transport.write(_PROXY + b"STARTTLS\r\n")
    await testbed.require("start TLS", lambda: proxied.received)
    proxied.on_data = lambda _data: None
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("complete the handshake", lambda: peer.handshake_completed)
    peer.send(b"hello")
    await testbed.require("deliver", lambda: len(proxied.received) == 2)
    return evidence(
        bare.handshake_completed
        and not wrapped.handshake_completed
        and not proxied.handshake_completed,
        f"startTLS, callbacks: {bare.callbacks_text}",
        f"startTLS behind a WrappingFactory, callbacks: {wrapped.callbacks_text}",
        f"startTLS behind the haproxy: endpoint, callbacks: {proxied.callbacks_text}",
    )


async def _not_marked(testbed: Testbed) -> Evidence:
    bare, wrapped = await _bare_and_wrapped(testbed)
    marks = [ISSLTransport.providedBy(each.transport) for each in (bare, wrapped)]
    return evidence(
        marks == [True, False],
        "a server that has called startTLS, and received data through TLS",
        f"ISSLTransport.providedBy(transport): {marks[0]}",
        f"the same behind a WrappingFactory: {marks[1]}",
    )


async def _header_inside(testbed: Testbed) -> Evidence:
    own = testbed.certificates.server
    files = [
        str(path).replace("\\", "\\\\").replace(":", "\\:") for path in (own.certificate, own.key)
    ]
    endpoint = f"haproxy:ssl:0:interface={LOOPBACK}:certKey={files[0]}:privateKey={files[1]}"
    outside, inside = HandshakeRecorder(), HandshakeRecorder()
    peer = await testbed.connect_peer(await testbed.listen_at(endpoint, factory_of(outside)))
    peer.transport.write(_PROXY)
    peer.start_tls(testbed.stdlib_context())
    await testbed.require("end", lambda: outside.lost)
    peer = await testbed.connect_secured(await testbed.listen_at(endpoint, factory_of(inside)))
    peer.send(_PROXY, b"hello")
    await testbed.require("deliver", lambda: inside.received or inside.lost)
    assert outside.reason is not None
    return evidence(
        not outside.handshake_completed and inside.received == [b"hello"],
        "haproxy:ssl: with the PROXY header before the ClientHello, as HAProxy sends it: "
        f"{exception_name(outside.reason)}: {exception_text(outside.reason)}",
        f"with the header inside TLS: received {inside.received!r} from "
        f"{inside.transport.getPeer().host}",
    )


FINDINGS = (
    Finding(
        "wrapped-listener-not-told",
        "A protocol behind the haproxy: endpoint is never told that its handshake is complete.",
        "After startTLS, TLS sits between the transport and the outermost protocol. If that is a "
        "ProtocolWrapper, as it is behind the haproxy: endpoint, a TimeoutFactory or a "
        "TrafficLoggingFactory, the wrapper does not provide IHandshakeListener, and what it wraps "
        "is never asked. A server that checks its clients in handshakeCompleted never does, and "
        "their data is delivered all the same. Do not start TLS behind a wrapper; tlsdemo reads "
        "the PROXY header itself.",
        _not_told,
        tickets=(12007,),
    ),
    Finding(
        "wrapped-transport-not-marked",
        "Behind a wrapper, a transport does not provide ISSLTransport after startTLS.",
        "A ProtocolWrapper copies the interfaces of its transport when it is connected. startTLS "
        "marks the transport below it later, and the copy is not updated, so that "
        "ISSLTransport.providedBy(transport) stays False for a connection that is encrypted. Code "
        "that decides by it refuses a login that is safe, or starts TLS a second time "
        "(start-tls-twice). Keep the state yourself; tlsdemo tells its applications by the event "
        "secure.",
        _not_marked,
        tickets=(5709,),
    ),
    Finding(
        "proxy-header-inside-tls",
        "haproxy:ssl: expects the PROXY header inside TLS, where no proxy sends it.",
        "A balancer that passes TLS through sends its PROXY header in plaintext, before the "
        "ClientHello. Twisted's endpoint string haproxy:ssl:, which its documentation gives as an "
        "example, puts the parts in the other order. Every connection of such a balancer fails "
        "with an error of TLS, while a client that completes a handshake can name any address as "
        "its own inside it. Use haproxy:tcp: and start TLS yourself, but do not wait for "
        "handshakeCompleted (wrapped-listener-not-told); tlsdemo's --proxy-protocol reads the "
        "header before TLS.",
        _header_inside,
        tickets=(9041,),
    ),
)
