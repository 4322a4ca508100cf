"""Traces for tests, from handmade bytes on the wire."""

from __future__ import annotations

from tests.trace.wire_bytes import CHANGE, CLIENT_HELLO, SERVER_HELLO, handshake, message, record
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_reader import RecordReader
from tlsdemo.trace.timeline import Event, Fact

STATES: dict[str, Fact] = {"peer": True, "alpn": "demo/1", "flight": False, "write": False}


def mark(end: End, at: float, name: str, **facts: Fact) -> Mark:
    return Mark(end, Event(name, at, facts))


def arrow(
    kind: Kind = Kind.HANDSHAKE,
    length: int = 517,
    *messages: str,
    sender: End = End.CLIENT,
    fate: Fate = Fate.PASSED,
    encrypted: bool = False,
) -> Arrow:
    version = "" if kind in (Kind.PLAIN, Kind.UNREADABLE) else "TLS 1.2"
    return Arrow(sender, 0.0, Record(kind, length, version, messages, encrypted), fate)


def upgraded() -> Trace:
    """Return a STARTTLS upgrade to TLS 1.2 with everything a diagram can show, over 2.5 seconds."""
    trace = Trace("starttls, TLS 1.2, ok", {"mode": "starttls", "tls": "1.2", "Twisted": "26.10"})
    readers = {end: RecordReader() for end in End}

    def sent(end: End, at: float, data: bytes) -> None:
        trace.seen += [Arrow(end, at, each) for each in readers[end].feed(data)]

    trace.seen.append(mark(End.CLIENT, 0.0, "connected"))
    trace.seen.append(mark(End.SERVER, 0.00001, "connected"))
    sent(End.CLIENT, 0.0001, b"STARTTLS\r\n")
    sent(End.SERVER, 0.0124, b"220 go\r\n")
    sent(End.CLIENT, 0.0126, CLIENT_HELLO)
    certificate = message(11, bytes(900))
    flight = handshake(SERVER_HELLO) + handshake(certificate) + handshake(message(14))
    sent(End.SERVER, 0.0134, flight)
    sent(End.CLIENT, 0.0139, handshake(message(16, bytes(33))) + CHANGE + record(22, bytes(40)))
    trace.seen.append(mark(End.SERVER, 0.0140, "handshakeCompleted", **STATES))
    trace.seen.append(mark(End.SERVER, 0.0141, "secure", **STATES, version="TLSv1.2"))
    sent(End.SERVER, 0.0142, CHANGE + record(22, bytes(40)))
    trace.seen.append(
        Arrow(End.SERVER, 2.5, Record(Kind.ALERT, 31, "TLS 1.2", (), True), Fate.DROPPED)
    )
    trace.seen.append(mark(End.CLIENT, 2.5001, "closed", reason="ConnectionDone"))
    return trace
