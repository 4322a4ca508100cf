"""Findings about how data reaches the application, and how it is buffered."""

from __future__ import annotations

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder, RecordingProtocol
from tlsdemo.lab.findings.stdlib_peer import APPLICATION_DATA, StdlibPeer, records
from tlsdemo.lab.findings.testbed import Testbed, limit_buffers
from tlsdemo.reporting.finding_result import Evidence

_COUNT = 200
_SIZE = 32

_CHUNK = 1 << 16
_TOTAL = 2 << 20
"""Bytes that are written in chunks; several times as many as the kernel may buffer."""

_TIMEOUT = 8.0


async def _event_per_record(testbed: Testbed) -> Evidence:
    calls = {mode: await _deliveries(testbed, mode) for mode in ("wrapped", "startTLS")}
    return evidence(
        all(count == _COUNT for count in calls.values()),
        *(
            f"{mode}: {_COUNT} records of {_SIZE} B in one segment: dataReceived is called "
            f"{count} times"
            for mode, count in calls.items()
        ),
    )


async def _deliveries(testbed: Testbed, mode: str) -> int:
    """Send records in one segment, and return how often dataReceived is called."""
    application = HandshakeRecorder()
    peer = await testbed.secured_peer_of(application, mode)
    peer.send(*[b"x" * _SIZE] * _COUNT)
    await testbed.require("deliver", lambda: sum(map(len, application.received)) == _COUNT * _SIZE)
    return len(application.received)


async def _record_per_write(testbed: Testbed) -> Evidence:
    by_hand, buffered = await _records_sent(testbed, True), await _records_sent(testbed, False)
    return evidence(
        by_hand == _COUNT and buffered < _COUNT / 10,
        f"{_COUNT} writes of {_SIZE} B in one iteration of the reactor",
        f"records sent by a TLSMemoryBIOProtocol created by hand: {by_hand}",
        f"records sent with TLSMemoryBIOFactory: {buffered}",
    )


async def _records_sent(testbed: Testbed, unbuffered: bool) -> int:
    application = HandshakeRecorder()

    def write(_data: bytes) -> None:
        for _ in range(_COUNT):
            application.transport.write(b"x" * _SIZE)

    application.on_data = write
    factory = testbed.tls_factory(testbed.server_options(), application, unbuffered=unbuffered)
    peer = await testbed.connect_secured(testbed.listen(factory))
    await testbed.require("complete the handshake", lambda: application.handshake_completed)
    await testbed.pause(0.02)  # The session tickets.
    before = len(peer.wire)
    peer.send(b"go")
    await testbed.require("deliver", lambda: len(peer.cleartext) == _COUNT * _SIZE)
    return sum(1 for kind, _ in records(peer.wire[before:]) if kind == APPLICATION_DATA)


async def _paused(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    after_pause: list[int] = []
    size, count = 1000, 40

    def pause(_: bytes) -> None:
        application.transport.pauseProducing()
        application.on_data = lambda data: after_pause.append(len(data))

    application.on_data = pause
    peer = await testbed.secured_peer_of(application)
    peer.send(*[b"x" * size] * count)
    await testbed.require("deliver", lambda: application.received)
    await testbed.pause(0.05)
    return evidence(
        sum(after_pause) > 0,
        f"{count} records of {size:,} B; transport.pauseProducing() in the first dataReceived",
        f"dataReceived is called {len(after_pause)} more times, with {sum(after_pause):,} B",
    )


def _write_all(application: RecordingProtocol) -> None:
    for _ in range(_TOTAL // _CHUNK):
        application.transport.write(b"x" * _CHUNK)


async def _read_all(testbed: Testbed, peer: StdlibPeer) -> int:
    """Wait until the client has read everything, or has lost its connection; return how much."""
    await testbed.require("end", lambda: len(peer.cleartext) >= _TOTAL or peer.lost, _TIMEOUT)
    return len(peer.cleartext)


async def _slow_reader(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    peer = await testbed.secured_peer_of(application)
    system = limit_buffers(application.transport.transport, peer.transport)
    peer.transport.pauseProducing()
    _write_all(application)
    await testbed.pause(0.05)
    peer.transport.resumeProducing()
    received = await _read_all(testbed, peer)
    return evidence(
        received == _TOTAL and system < _TOTAL / 2,
        f"{_TOTAL >> 10} KiB written to a client that does not read; write() never fails",
        f"of that, the kernel buffers at most {system >> 10} KiB",
        f"once the client reads, it receives {received >> 10} KiB: the rest was kept in memory",
    )


async def _before_handshake(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    application.on_connected = lambda: _write_all(application)
    factory = testbed.tls_factory(testbed.server_options(), application)
    peer = await testbed.connect_peer(testbed.listen(factory))
    await testbed.require("connect", lambda: application.callbacks)
    await testbed.pause(0.05)
    on_wire = len(peer.wire)
    peer.start_tls(testbed.stdlib_context())
    received = await _read_all(testbed, peer)
    return evidence(
        received == _TOTAL and on_wire == 0,
        f"{_TOTAL >> 10} KiB written in connectionMade, for a client that sends nothing",
        f"of that on the wire: {on_wire} B",
        f"after the client's handshake it receives {received >> 10} KiB: all was kept in memory",
    )


FINDINGS = (
    Finding(
        "event-per-record",
        "Every TLS record is a dataReceived of its own, even if many arrive at once.",
        "One read of the socket can bring hundreds of small records. Each of them becomes a "
        "dataReceived, where plain TCP has one for all. The cost is in the event: a proxy that "
        "forwards each of them makes a write for each, and becomes sluggish when a sender writes "
        "little and often. Collect the data until the next iteration of the reactor, or have "
        "tlsdemo do it (--delivery=coalesced).",
        _event_per_record,
    ),
    Finding(
        "record-per-write",
        "A TLSMemoryBIOProtocol created by hand sends a record for every write.",
        "startTLS and TLSMemoryBIOFactory combine small writes until the next iteration of the "
        "reactor (ticket 11989). The TLSMemoryBIOProtocol below them, which is the class to "
        "subclass or to feed by hand, does not. Every write is encrypted and framed on its own, "
        "at a cost of 22 bytes, and becomes an event of its own at the other end "
        "(event-per-record). Combine the writes yourself, or use BufferingTLSTransport; with "
        "tlsdemo's pair you can choose (--send).",
        _record_per_write,
        tickets=(11989,),
    ),
    Finding(
        "pause-comes-late",
        "After pauseProducing in dataReceived, data that was already read is still delivered.",
        "The transport stops reading the socket, but TLS continues with what it has: the rest of "
        "that read arrives in further calls of dataReceived. A protocol that pauses because it "
        "cannot take more, or because it is handing its transport over to another protocol, has "
        "to take that as well. Keep what arrives after a pause; with tlsdemo's delivery readable, "
        "the application gets data only when it asks for it.",
        _paused,
    ),
    Finding(
        "slow-reader-fills-memory",
        "What a client does not read is kept in memory, without a limit.",
        "write() accepts any amount of data. If the client is slow, or does not read on purpose, "
        "all of it waits in the memory of the process. A handful of clients that request a file "
        "of a few GiB can exhaust it. Register a producer, which is paused once 64 KiB are "
        "waiting; all of tlsdemo's roles do.",
        _slow_reader,
        timeout=2 * _TIMEOUT,
    ),
    Finding(
        "writes-before-handshake-fill-memory",
        "What is written before the handshake is kept in memory, without a limit.",
        "connectionMade is called before the handshake (connection-made-before-handshake). What a "
        "server writes there waits until the handshake is complete, for a client that may never "
        "begin one, without any limit or timer. Write only when the handshake is complete; "
        "tlsdemo does not connect an application before that.",
        _before_handshake,
        timeout=2 * _TIMEOUT,
    ),
)
