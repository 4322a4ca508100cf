"""Findings about what the application is told of how a connection ended."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from twisted.internet.error import ConnectionClosed, ConnectionDone

from tlsdemo.lab.findings.finding import TICKET, Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, factory_of, name_of, words_of
from tlsdemo.lab.findings.stdlib_peer import CLOSE_NOTIFY, Peer
from tlsdemo.lab.findings.testbed import Testbed


def _fin(peer: Peer) -> None:
    peer.transport.loseConnection()


def _rst(peer: Peer) -> None:
    peer.transport.abortConnection()


def _truncated(peer: Peer) -> None:
    assert peer.tls is not None
    peer.tls.write(b"launch the missiles")
    peer.transport.write(peer.taken()[:-4])
    peer.transport.loseConnection()


_CLOSE_REASONS: dict[str, tuple[str, Callable[[Peer], None]]] = {
    "close_notify": ("after", Peer.close_tls),
    "FIN after the handshake": ("after", _fin),
    "a record cut off, FIN": ("after", _truncated),
    "RST after the handshake": ("after", _rst),
    "FIN during the handshake": ("during", _fin),
    "RST during the handshake": ("during", _rst),
    "FIN before the handshake": ("before", _fin),
    "RST before the handshake": ("before", _rst),
}


async def _ended(lab: Testbed, when: str, end: Callable[[Peer], None]) -> BaseException:
    application = Listening()
    peer = await lab.peer(lab.serve(application, "wrapped"))
    if when != "before":
        peer.hold = when == "during"
        peer.start_tls(lab.foreign_context())
        peer.flush()
        await lab.must("answer", lambda: peer.complete)
    if when == "after":
        await lab.must("complete the handshake", lambda: application.complete)
    end(peer)
    await lab.must("end", lambda: application.lost)
    assert application.reason is not None
    return application.reason


async def _told_apart(lab: Testbed) -> Evidence:
    reasons = {what: await _ended(lab, *how) for what, how in _CLOSE_REASONS.items()}
    width = max(map(len, reasons))
    broken = [reason for what, reason in reasons.items() if what != "close_notify"]
    return evidence(
        len({(type(reason), words_of(reason)) for reason in broken}) == 1
        and isinstance(reasons["close_notify"], ConnectionDone),
        *(f"{what:{width}}  {name_of(reason)}" for what, reason in reasons.items()),
    )


async def _no_connection_closed(lab: Testbed) -> Evidence:
    application = Listening()
    peer = await lab.peer(lab.serve(application, "wrapped"))
    peer.transport.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await lab.must("end", lambda: application.lost)
    reason = application.reason
    assert reason is not None
    return evidence(
        not isinstance(reason, ConnectionClosed) and not lab.logged,
        "a client speaks HTTP to a server of TLS",
        f"the reason is {name_of(reason)}: {words_of(reason)}",
        f"it is a ConnectionClosed: {isinstance(reason, ConnectionClosed)}; "
        f"logged: {', '.join(lab.logged) or 'nothing'}",
    )


async def _close_in_handshake(lab: Testbed) -> Evidence:
    seen = []
    for side in ("client", "server"):
        application, before = Listening(), len(lab.logged)
        if side == "client":
            peer = Peer()
            peer.on_wire = lambda peer=peer: peer.transport.write(CLOSE_NOTIFY)  # type: ignore[misc]
            options = lab.client_options()
            port = lab.listen(factory_of(peer))
            lab.connect(port, lab.wrapped(options, application, client=True))
        else:
            peer = await lab.peer(lab.serve(application, "wrapped"))
            peer.hold = True
            peer.start_tls(lab.foreign_context(version=ssl.TLSVersion.TLSv1_2))
            peer.transport.write(peer.taken() + CLOSE_NOTIFY)
        await lab.must("end", lambda each=application: each.lost)  # type: ignore[misc]
        logged = ", ".join(lab.logged[before:]) or "nothing"
        seen.append(f"a {side} is told {application.told}; logged, as unhandled: {logged}")
    return evidence(
        "IndexError" in lab.logged, "close_notify in answer to, or behind, the ClientHello:", *seen
    )


FINDINGS = (
    Finding(
        "endings-not-told-apart",
        "A stream that was cut off, a reset and an end in mid-handshake all look the same.",
        "Only close_notify is ConnectionDone. Whether the peer's process died, somebody cut the "
        "stream in the middle of a record, or a port scanner came by: ConnectionLost, with the "
        "same text. So a truncation, which TLS can prove, drowns in the noise of every public "
        "port. Remember how far the handshake was, and ask OpenSSL; in tlsdemo these are "
        "causes with different names.",
        _told_apart,
    ),
    Finding(
        "ssl-error-is-no-connection-closed",
        "What garbage ends with is an SSL.Error, which is no ConnectionClosed, and is not logged.",
        "Garbage, HTTP on a port for TLS, an old version, no common cipher, a bad MAC and every "
        "alert come through connectionLost as OpenSSL.SSL.Error. reason.check(ConnectionClosed) "
        "or trap(ConnectionDone, ConnectionLost) does not cover that, so code that is right for "
        "TCP raises in its connectionLost as soon as the first scanner comes. Handle SSL.Error "
        "as well; in tlsdemo it is a cause like any other.",
        _no_connection_closed,
    ),
    Finding(
        "close-notify-in-handshake",
        "A close_notify in the handshake raises an IndexError inside Twisted.",
        "Seven bytes behind the ClientHello of any client, before anything is verified, put a "
        "traceback into the log: OpenSSL's error has no arguments, and Twisted looks at the "
        "first. A server can do the same to a client. The application is told an unrelated "
        "IndexError, and who watches logs for tracebacks is woken up by anybody. Ignore that "
        "one; tlsdemo ends such a handshake with a cause.",
        _close_in_handshake,
        ticket=f"{TICKET}12181",
    ),
)
