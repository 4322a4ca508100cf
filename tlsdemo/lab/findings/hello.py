"""Findings about the first message of a handshake."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import ITLSTransport

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import RecordingProtocol, factory_of
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence

_HANDSHAKE = 22
_CLIENT_HELLO = 1

_SEGMENT = 1440
"""Bytes in a segment of TCP over IPv6 and Ethernet, without any TCP options."""

_KEY_SHARE = 51
_CLASSIC = {23: "secp256r1", 24: "secp384r1", 25: "secp521r1", 29: "X25519", 30: "X448"}
_POST_QUANTUM = {
    0x0200: "MLKEM512",
    0x0201: "MLKEM768",
    0x0202: "MLKEM1024",
    0x11EB: "SecP256r1MLKEM768",
    0x11EC: "X25519MLKEM768",
    0x11ED: "SecP384r1MLKEM1024",
}
"""Groups by their numbers in IANA's registry."""


async def _role(testbed: Testbed) -> Evidence:
    application, peer = RecordingProtocol(), StdlibPeer()
    options = testbed.server_options()
    application.on_connected = lambda: application.transport.startTLS(options)
    testbed.connect(testbed.listen(factory_of(peer)), factory_of(application))
    await testbed.wait_until(lambda: peer.wire)
    await testbed.wait_until_quiet()
    is_hello = peer.wire[:1] == bytes([_HANDSHAKE]) and peer.wire[5:6] == bytes([_CLIENT_HELLO])
    parameters = ITLSTransport["startTLS"].getSignatureInfo()["positional"]
    return evidence(
        is_hello and tuple(parameters) == ("contextFactory",),
        "the end that opened the TCP connection calls startTLS with the options of a TLS server",
        f"it sends {'a ClientHello' if is_hello else repr(peer.wire[:6])}",
        f"parameters of ITLSTransport.startTLS: {', '.join(parameters)}",
    )


async def _post_quantum(testbed: Testbed) -> Evidence:
    peer = StdlibPeer()
    factory = testbed.tls_factory(testbed.client_options(), RecordingProtocol(), client=True)
    testbed.connect(testbed.listen(factory_of(peer)), factory)
    await testbed.require("send a ClientHello", lambda: len(peer.wire) > 5)
    await testbed.wait_until_quiet()
    shares = dict(_key_shares(peer.wire))
    names = {**_CLASSIC, **_POST_QUANTUM}
    named = [f"{names.get(each, hex(each))} {size} B" for each, size in shares.items()]
    return evidence(
        len(peer.wire) > _SEGMENT and bool(shares.keys() & _POST_QUANTUM.keys()),
        f"a client with default options sends a ClientHello of {len(peer.wire):,} B",
        f"of these, key shares: {', '.join(named) or 'none'}",
        f"a segment of TCP over Ethernet and IPv6 holds {_SEGMENT:,} B",
    )


def _key_shares(wire: bytes) -> Iterator[tuple[int, int]]:
    """Yield the group and the size of each key share of a ClientHello (RFC 8446, 4.1.2, 4.2.8)."""
    hello = wire[5 + 4 :]
    at = 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at]
    for kind, extension in _extensions(hello[at + 2 :]):
        if kind == _KEY_SHARE:
            yield from ((group, len(share)) for group, share in _extensions(extension[2:]))


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, size = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
        yield kind, data[4 : 4 + size]
        data = data[4 + size :]


FINDINGS = (
    Finding(
        "tls-role-follows-tcp",
        "startTLS makes the end that opened the TCP connection the TLS client.",
        "ITLSTransport.startTLS has no parameter for the role. A server that calls back, and two "
        "clients that are connected by a relay, need the other one. Given the options of a "
        "server, the transport sends a ClientHello with them, and verifies nobody. Twisted's "
        "transports take an argument normal=False, which the interface does not mention and other "
        "transports need not have. Put a TLSMemoryBIOProtocol of your own with the right role in "
        "between; tlsdemo takes the role from its settings.",
        _role,
        tickets=(3278, 5690),
    ),
    Finding(
        "client-hello-in-two-segments",
        "With post-quantum key exchange, a ClientHello no longer fits into one TCP segment.",
        "OpenSSL offers X25519MLKEM768 since version 3.5, and a client sends a key share of 1,216 "
        "bytes for it in every first message, used or not. What looks at the first read of a "
        "connection to tell TLS from something else, or to find the server name, now sees half a "
        "message. Every handshake carries over 2 KB more, as the server answers with 1,120 bytes. "
        "Decide by the first byte, or wait for the whole record; tlsdemo recognizes TLS by the "
        "first byte.",
        _post_quantum,
        affected=AffectedVersions("OpenSSL", since="3.5"),
    ),
)
