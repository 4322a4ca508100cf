"""Findings about what an application learns when a connection ends."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from twisted.internet.error import ConnectionClosed, ConnectionDone

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    exception_name,
    exception_text,
    factory_of,
)
from tlsdemo.lab.findings.stdlib_peer import CLOSE_NOTIFY, StdlibPeer
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence


def _fin(peer: StdlibPeer) -> None:
    peer.transport.loseConnection()


def _rst(peer: StdlibPeer) -> None:
    peer.transport.abortConnection()


def _truncate(peer: StdlibPeer) -> None:
    assert peer.tls is not None
    peer.tls.write(b"launch the missiles")
    peer.transport.write(peer.take_output()[:-4])
    peer.transport.loseConnection()


_ENDS: dict[str, tuple[str, Callable[[StdlibPeer], None]]] = {
    "close_notify": ("after", StdlibPeer.close_tls),
    "FIN after the handshake": ("after", _fin),
    "FIN within a record": ("after", _truncate),
    "RST after the handshake": ("after", _rst),
    "FIN during the handshake": ("during", _fin),
    "RST during the handshake": ("during", _rst),
    "FIN before the handshake": ("before", _fin),
    "RST before the handshake": ("before", _rst),
}


async def _reason_of(
    testbed: Testbed, phase: str, end: Callable[[StdlibPeer], None]
) -> BaseException:
    application = HandshakeRecorder()
    peer = await testbed.connect_peer(testbed.serve(application, "wrapped"))
    if phase != "before":
        peer.hold_output = phase == "during"
        peer.start_tls(testbed.stdlib_context())
        peer.flush()
        await testbed.require("answer", lambda: peer.handshake_completed)
    if phase == "after":
        await testbed.require("complete the handshake", lambda: application.handshake_completed)
    end(peer)
    await testbed.require("end", lambda: application.lost)
    assert application.reason is not None
    return application.reason


async def _distinguished(testbed: Testbed) -> Evidence:
    reasons = {what: await _reason_of(testbed, *how) for what, how in _ENDS.items()}
    width = max(map(len, reasons))
    broken = [reason for what, reason in reasons.items() if what != "close_notify"]
    return evidence(
        len({(type(reason), exception_text(reason)) for reason in broken}) == 1
        and isinstance(reasons["close_notify"], ConnectionDone),
        *(f"{what:{width}}  {exception_name(reason)}" for what, reason in reasons.items()),
    )


async def _no_connection_closed(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    peer = await testbed.connect_peer(testbed.serve(application, "wrapped"))
    peer.transport.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await testbed.require("end", lambda: application.lost)
    reason = application.reason
    assert reason is not None
    return evidence(
        not isinstance(reason, ConnectionClosed) and not testbed.logged,
        "a client speaks HTTP to a TLS server",
        f"the reason is {exception_name(reason)}: {exception_text(reason)}",
        f"it is a ConnectionClosed: {isinstance(reason, ConnectionClosed)}; "
        f"logged: {', '.join(testbed.logged) or 'nothing'}",
    )


async def _close_in_handshake(testbed: Testbed) -> Evidence:
    lines = [await _closed(testbed, side) for side in ("client", "server")]
    return evidence(
        "IndexError" in testbed.logged,
        "close_notify in answer to the ClientHello, or right behind it:",
        *lines,
    )


async def _closed(testbed: Testbed, side: str) -> str:
    """Send close_notify to Twisted's ``side`` within the handshake; return a line about it."""
    application, before = HandshakeRecorder(), len(testbed.logged)
    if side == "client":
        peer = StdlibPeer()
        peer.on_received = lambda: peer.transport.write(CLOSE_NOTIFY)
        port = testbed.listen(factory_of(peer))
        client = testbed.tls_factory(testbed.client_options(), application, client=True)
        testbed.connect(port, client)
    else:
        peer = await testbed.connect_peer(testbed.serve(application, "wrapped"))
        peer.hold_output = True
        peer.start_tls(testbed.stdlib_context(version=ssl.TLSVersion.TLSv1_2))
        peer.transport.write(peer.take_output() + CLOSE_NOTIFY)
    await testbed.require("end", lambda: application.lost)
    logged = ", ".join(testbed.logged[before:]) or "nothing"
    return f"{side}: callbacks: {application.callbacks_text}; logged as unhandled: {logged}"


FINDINGS = (
    Finding(
        "endings-not-told-apart",
        "Truncation, a reset, and an interrupted handshake are reported in the same way.",
        "Only close_notify is reported as ConnectionDone. If the peer's process has crashed, if "
        "someone has cut the stream within a record, or if a port scanner has come by, the reason "
        "is ConnectionLost with the same text. A truncation attack, which TLS can detect, is lost "
        "in the noise that every public port receives. Keep track of the state of the handshake, "
        "and ask OpenSSL; tlsdemo gives each of these a cause of its own.",
        _distinguished,
    ),
    Finding(
        "ssl-error-is-no-connection-closed",
        "Invalid TLS ends in SSL.Error, which is not a ConnectionClosed, and it is not logged.",
        "Garbage, HTTP on a TLS port, an old version of TLS, no common cipher, a bad MAC, and "
        "every alert reach connectionLost as OpenSSL.SSL.Error. Neither "
        "reason.check(ConnectionClosed) nor trap(ConnectionDone, ConnectionLost) covers that, so "
        "code that is correct for TCP raises in its connectionLost as soon as the first scanner "
        "connects. Handle SSL.Error as well; in tlsdemo it is mapped to a cause like any other.",
        _no_connection_closed,
        tickets=(5183,),
    ),
    Finding(
        "close-notify-in-handshake",
        "A close_notify during the handshake raises an IndexError inside Twisted.",
        "Seven bytes after the ClientHello, from any client and before anything is verified, put "
        "a traceback into the log: OpenSSL's error has no arguments, and Twisted reads the first. "
        "A server can do the same to a client. The application is given an unrelated IndexError, "
        "and anyone on the network can trigger alarms that watch the log for tracebacks. Ignore "
        "this error; tlsdemo ends such a handshake with a cause of its own.",
        _close_in_handshake,
        tickets=(12181,),
    ),
)
