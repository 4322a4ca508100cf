"""Findings about what TLS does with what it reads, or cannot read."""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder
from tlsdemo.lab.findings.stdlib_peer import APPLICATION_DATA
from tlsdemo.lab.findings.testbed import QUIET, NoVerdict, Testbed
from tlsdemo.reporting.finding_result import Evidence

_UPDATES = 5000
_KEY_UPDATE = b"\x18\x00\x00\x01\x00"
"""A KeyUpdate that requests none in return (RFC 8446, 4.6.3)."""


def _pausing() -> HandshakeRecorder:
    application = HandshakeRecorder()

    def write_paused() -> None:
        application.transport.pauseProducing()
        application.transport.write(b"hello")

    application.on_connected = write_paused
    return application


async def _not_resumed(testbed: Testbed) -> Evidence:
    received = {}
    for mode in ("plain", "wrapped"):
        application = _pausing()
        peer = await testbed.connect_peer(testbed.serve(application, mode))
        before = testbed.delayed_calls()
        if mode == "wrapped":
            peer.start_tls(testbed.stdlib_context())
        await testbed.wait_until_quiet()
        timers = testbed.delayed_calls() - before
        received[mode] = peer.cleartext if peer.tls else peer.wire
    stuck = not peer.handshake_completed and not peer.lost and not timers
    application.transport.resumeProducing()
    await testbed.require("deliver", lambda: peer.cleartext)
    return evidence(
        received["plain"] == b"hello" and stuck,
        "a server calls pauseProducing() and write() in connectionMade",
        f"plain TCP: the client receives {received['plain']!r}",
        f"TLS: {QUIET:g} s later it has received {received['wrapped']!r}; timers in the reactor: "
        f"{len(timers)}",
        f"after resumeProducing() it receives {peer.cleartext!r}",
    )


async def _key_updates(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    with TemporaryDirectory() as directory:
        log = Path(directory) / "keys"
        context = testbed.stdlib_context()
        context.keylog_filename = str(log)
        port = testbed.serve(application, "wrapped")
        peer = await testbed.connect_secured(port, context)
        keys = log.read_text()
    await testbed.require("complete the handshake", lambda: application.handshake_completed)
    assert peer.tls is not None
    writer = _RecordWriter(peer.tls, keys)
    flood = b""
    for _ in range(_UPDATES):
        flood += writer.record(_KEY_UPDATE, 22)
        writer.update()
    peer.transport.write(flood + writer.record(b"hello", APPLICATION_DATA))
    await testbed.require("deliver, or end", lambda: application.received or application.lost)
    return evidence(
        application.received == [b"hello"],
        f"a client sends {_UPDATES:,} KeyUpdates in {len(flood):,} B, then 5 B of data",
        f"callbacks of the server: {application.callbacks_text}",
    )


class _RecordWriter:
    """Writes the records of a client on TLS 1.3, whose keys are taken from a key log.

    The standard library cannot send a KeyUpdate.
    """

    def __init__(self, tls: ssl.SSLObject, keys: str) -> None:
        secrets = dict(line.split()[::2] for line in keys.splitlines() if line[:1] != "#")
        cipher = tls.cipher()
        if cipher is None or "AES" not in cipher[0]:
            raise NoVerdict(f"the cipher suite is {cipher and cipher[0]}, not one with AES-GCM")
        self._hash: HashAlgorithm = SHA384() if "SHA384" in cipher[0] else SHA256()
        self._key_size = 32 if "256_GCM" in cipher[0] else 16
        self._use(bytes.fromhex(secrets["CLIENT_TRAFFIC_SECRET_0"]))

    def update(self) -> None:
        """Change to the next keys (RFC 8446, 7.2)."""
        self._use(self._expand(b"traffic upd", self._hash.digest_size))

    def record(self, content: bytes, kind: int) -> bytes:
        """Return the next record (RFC 8446, 5.2)."""
        inner = content + bytes([kind])
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        nonce = (int.from_bytes(self._iv, "big") ^ self._sequence).to_bytes(12, "big")
        self._sequence += 1
        return header + self._aead.encrypt(nonce, inner, header)

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        self._aead = AESGCM(self._expand(b"key", self._key_size))
        self._iv = self._expand(b"iv", 12)
        self._sequence = 0

    def _expand(self, label: bytes, size: int) -> bytes:
        # HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\x00"
        return HKDFExpand(self._hash, size, info).derive(self._secret)


FINDINGS = (
    Finding(
        "paused-reading-stalls-writing",
        "A protocol that pauses reading before the handshake never gets its data written.",
        "Under TLS a write may need a read: until the handshake is complete, nothing can be sent. "
        "pauseProducing() stops the reading of the socket, and with it the handshake; the data "
        "waits, a producer is paused, and neither is ever resumed. On plain TCP the same code "
        "writes. Two ends that both wait to be told before they read hang for ever, and no timer "
        "ends it. Pause reading in handshakeCompleted at the earliest; with tlsdemo the "
        "application only starts when the handshake is complete.",
        _not_resumed,
        tickets=(6385,),
    ),
    Finding(
        "key-updates-without-limit",
        "A client can send any number of KeyUpdates, and no callback reports them.",
        "Each KeyUpdate of TLS 1.3 makes the server derive new keys, and it takes 27 bytes to ask "
        "for it. OpenSSL has no limit, and Twisted's protocol is not called for a record without "
        "data, so that timeouts which are reset by data are the only defence, and a limit on "
        "requests never counts these. Limit the bytes that a client may send without any data; "
        "tlsdemo closes a connection with too many messages without application data.",
        _key_updates,
    ),
)
