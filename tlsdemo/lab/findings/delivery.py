"""Findings about how data reaches the application, and how it is held back."""

from __future__ import annotations

from tlsdemo.lab.findings.finding import TICKET, Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening
from tlsdemo.lab.findings.stdlib_peer import APPLICATION_DATA, Peer, records
from tlsdemo.lab.findings.testbed import Testbed, limit_buffers

_COUNT = 200
_SIZE = 32
_WHOLE = 4 << 20
_TIMEOUT = 8.0


async def _event_per_record(lab: Testbed) -> Evidence:
    seen, single = [], []
    for way in ("wrapped", "startTLS"):
        application = Listening()
        peer = await lab.secured(lab.serve(application, way))
        await lab.must("complete the handshake", lambda each=application: each.complete)  # type: ignore[misc]
        peer.send(*[b"x" * _SIZE] * _COUNT)
        await lab.must(
            "deliver",
            lambda each=application: sum(map(len, each.received)) == _COUNT * _SIZE,  # type: ignore[misc]
        )
        single.append(len(application.received) == _COUNT)
        seen.append(
            f"{way}: {_COUNT} records of {_SIZE} B in one segment: "
            f"dataReceived is called {len(application.received)} times"
        )
    return evidence(all(single), *seen)


async def _records_of(lab: Testbed, unbuffered: bool) -> int:
    application = Listening()

    def write(_data: bytes) -> None:
        for _ in range(_COUNT):
            application.transport.write(b"x" * _SIZE)

    application.on_data = write
    factory = lab.wrapped(lab.server_options(), application, unbuffered=unbuffered)
    peer = await lab.secured(lab.listen(factory))
    await lab.must("complete the handshake", lambda: application.complete)
    await lab.pause(0.02)  # the session tickets
    before = len(peer.wire)
    peer.send(b"go")
    await lab.must("deliver", lambda: len(peer.clear) == _COUNT * _SIZE)
    return sum(1 for kind, _ in records(peer.wire[before:]) if kind == APPLICATION_DATA)


async def _record_per_write(lab: Testbed) -> Evidence:
    by_hand, buffered = await _records_of(lab, True), await _records_of(lab, False)
    return evidence(
        by_hand == _COUNT and buffered < _COUNT / 10,
        f"{_COUNT} writes of {_SIZE} B in one turn of the reactor",
        f"TLSMemoryBIOProtocol, made by hand: {by_hand} records",
        f"TLSMemoryBIOFactory as it is: {buffered}",
    )


async def _paused(lab: Testbed) -> Evidence:
    application = Listening()
    after_pause: list[int] = []
    size, count = 1000, 40

    def pause(_: bytes) -> None:
        application.transport.pauseProducing()
        application.on_data = lambda data: after_pause.append(len(data))

    application.on_data = pause
    peer = await lab.secured(lab.serve(application, "wrapped"))
    await lab.must("complete the handshake", lambda: application.complete)
    peer.send(*[b"x" * size] * count)
    await lab.must("deliver", lambda: application.received)
    await lab.pause(0.05)
    return evidence(
        sum(after_pause) > 0,
        f"{count} records of {size:,} B; transport.pauseProducing() in the first dataReceived",
        f"dataReceived is called {len(after_pause)} times more, with {sum(after_pause):,} B",
    )


async def _read_all(lab: Testbed, peer: Peer) -> int:
    """Have the client read until it has everything, or everything there is; return how much."""
    await lab.must("end", lambda: len(peer.clear) >= _WHOLE or peer.lost, _TIMEOUT)
    return len(peer.clear)


async def _slow_reader(lab: Testbed) -> Evidence:
    application = Listening()
    peer = await lab.secured(lab.serve(application, "wrapped"))
    await lab.must("complete the handshake", lambda: application.complete)
    system = limit_buffers(application.transport.transport, peer.transport)
    peer.transport.pauseProducing()
    for _ in range(_WHOLE >> 16):
        application.transport.write(b"x" * (1 << 16))
        await lab.pause(0)
    await lab.pause(0.05)
    peer.transport.resumeProducing()
    received = await _read_all(lab, peer)
    return evidence(
        received == _WHOLE and system < _WHOLE / 2,
        f"{_WHOLE >> 20} MiB written to a client that does not read; write() never objects",
        f"the buffers of the system hold at most {system >> 10} KiB of that",
        f"once the client reads, it gets {received / (1 << 20):.1f} MiB: all was kept",
    )


async def _before_handshake(lab: Testbed) -> Evidence:
    application = Listening()

    def write() -> None:
        for _ in range(_WHOLE >> 16):
            application.transport.write(b"x" * (1 << 16))

    application.on_made = write
    peer = await lab.peer(lab.listen(lab.wrapped(lab.server_options(), application)))
    await lab.must("connect", lambda: application.events)
    await lab.pause(0.05)
    on_wire = len(peer.wire)
    peer.start_tls(lab.foreign_context())
    received = await _read_all(lab, peer)
    return evidence(
        received == _WHOLE and on_wire == 0,
        f"{_WHOLE >> 20} MiB written in connectionMade, to a client that says nothing",
        f"of that on the wire: {on_wire} B",
        f"once the client makes its handshake, it gets {received / (1 << 20):.1f} MiB: all was "
        "kept",
    )


FINDINGS = (
    Finding(
        "event-per-record",
        "Each TLS record is an event of its own, also when many came at once.",
        "One read of the socket can bring hundreds of small records, and each becomes a "
        "dataReceived of its own, where plain TCP gives one for all. What costs is the event: "
        "a proxy that passes each on makes a write of each, and is sluggish under senders that "
        "write little and often. Gather the data until the next turn of the reactor, or have "
        "tlsdemo do it (--delivery=coalesced).",
        _event_per_record,
    ),
    Finding(
        "record-per-write",
        "A TLSMemoryBIOProtocol made by hand sends a record for each write.",
        "startTLS and TLSMemoryBIOFactory join small writes until the next turn of the reactor "
        "(ticket 11989). The TLSMemoryBIOProtocol below them does not, and it is what one feeds "
        "by hand, or subclasses: each write is then encrypted, framed and delivered on its own, "
        "with 22 bytes more and, at the other end, an event (event-per-record). Join the writes "
        "before, or take BufferingTLSTransport; tlsdemo's pair has both as a choice (--send).",
        _record_per_write,
        ticket=f"{TICKET}11989",
    ),
    Finding(
        "pause-comes-late",
        "After pauseProducing in dataReceived, what was read is still delivered.",
        "The transport stops reading the socket, but TLS goes on with what it has: up to a "
        "whole read of the socket comes in as further events. A protocol that pauses because "
        "it can take no more, or hands its transport to another, has to take that too. Keep "
        "what comes after a pause; tlsdemo's delivery readable gives data only when it is "
        "asked for.",
        _paused,
    ),
    Finding(
        "slow-reader-fills-memory",
        "What a client does not read is kept in memory, without a bound.",
        "write() takes whatever it is given. If the client is slow, or silent on purpose, all "
        "of it waits in the process: a file of some GiB, asked for by a handful of clients, "
        "ends it. Register a producer, which is paused after 64 KiB; all of tlsdemo's roles "
        "have one.",
        _slow_reader,
        deadline=2 * _TIMEOUT,
    ),
    Finding(
        "writes-before-handshake-fill-memory",
        "What is written before the handshake is kept in memory, without a bound.",
        "connectionMade is called before the handshake (connection-made-before-handshake), and "
        "what a server writes there waits until the handshake is complete, for a client that "
        "may never begin. There is no bound and no timer. Write only when the handshake is "
        "complete; in tlsdemo there is nobody to write before that.",
        _before_handshake,
        deadline=2 * _TIMEOUT,
    ),
)
