"""Findings about peers that are rejected, or should be."""

from __future__ import annotations

import ssl
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from zope.interface import implementer

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    exception_name,
    exception_text,
)
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence

_MODES = ("wrapped", "startTLS")


async def _reject(testbed: Testbed, method: str, mode: str) -> HandshakeRecorder:
    """Have a server call ``method`` in handshakeCompleted, with data right behind Finished."""
    application = HandshakeRecorder()
    application.on_handshake = lambda: getattr(application.transport, method)()
    peer = await testbed.connect_peer(testbed.serve(application, mode))
    peer.hold_output = True
    peer.start_tls(testbed.stdlib_context())
    peer.flush()
    await testbed.require("answer the ClientHello", lambda: peer.handshake_completed)
    peer.send(b"launch")
    peer.flush()
    await testbed.require("complete the handshake", lambda: application.handshake_completed)
    # loseConnection waits for the close_notify of the peer.
    await testbed.require("close", lambda: application.lost or peer.close_notify_received)
    if not application.lost:
        peer.close_tls()
    await testbed.require("end", lambda: application.lost)
    return application


async def _rejections(testbed: Testbed, method: str) -> dict[str, HandshakeRecorder]:
    return {mode: await _reject(testbed, method, mode) for mode in _MODES}


def _rejection_lines(method: str, applications: dict[str, HandshakeRecorder]) -> list[str]:
    return [
        "Finished and data of the client in one segment, TLS 1.3",
        *(
            f"{mode}, {method}() in handshakeCompleted, callbacks: {each.callbacks_text}"
            for mode, each in applications.items()
        ),
    ]


async def _after_lose(testbed: Testbed) -> Evidence:
    applications = await _rejections(testbed, "loseConnection")
    return evidence(
        all(each.received for each in applications.values()),
        *_rejection_lines("loseConnection", applications),
    )


async def _after_abort(testbed: Testbed) -> Evidence:
    applications = await _rejections(testbed, "abortConnection")
    return evidence(
        bool(applications["startTLS"].received),
        *_rejection_lines("abortConnection", applications),
    )


async def _wrong_name(
    testbed: Testbed, version: ssl.TLSVersion
) -> tuple[HandshakeRecorder, StdlibPeer]:
    """Have a client with a certificate connect to a server of another name."""
    context = testbed.stdlib_context(server=True, version=version)
    context.verify_mode = ssl.CERT_REQUIRED
    port, server = testbed.stdlib_server(context)
    client = HandshakeRecorder()
    options = testbed.client_options("elsewhere.example", certificate=True)
    testbed.connect(port, testbed.tls_factory(options, client, client=True))
    await testbed.require("end", lambda: client.lost and server.lost)
    return client, server


async def _name_too_late(testbed: Testbed) -> Evidence:
    lines, disclosed = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client, server = await _wrong_name(testbed, version)
        assert server.tls is not None
        certificate = server.handshake_completed and server.tls.getpeercert()
        disclosed.append(bool(certificate))
        lines.append(
            f"{version.name.replace('v1_', ' 1.')}: the server "
            f"{'has received' if certificate else 'has not received'} the client's certificate; "
            f"its handshake is {'complete' if server.handshake_completed else 'not complete'}; "
            f"callbacks of the client: {client.callbacks_text}"
        )
    return evidence(any(disclosed), "the server is localhost, not elsewhere.example", *lines)


async def _completed_wrong_name(testbed: Testbed) -> Evidence:
    lines, completed = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client, _ = await _wrong_name(testbed, version)
        completed.append(client.handshake_completed)
        lines.append(
            f"{version.name.replace('v1_', ' 1.')}: callbacks of the client: "
            f"{client.callbacks_text}"
        )
    return evidence(any(completed), "the server is localhost, not elsewhere.example", *lines)


async def _no_alert(testbed: Testbed) -> Evidence:
    lines, silent = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        _, server = await _wrong_name(testbed, version)
        assert server.reason is not None
        silent.append(server.error is None)
        lines.append(
            f"{version.name.replace('v1_', ' 1.')}: alert that the server receives: "
            f"{server.error.reason if server.error else 'none'}; then "
            f"{exception_name(server.reason)}"
        )
    return evidence(all(silent), "the server is localhost, not elsewhere.example", *lines)


@implementer(IOpenSSLClientConnectionCreator)
class _Refusing:
    """Verifies with a callback of its own, which accepts nothing."""

    def __init__(self, trusting: SSL.Context) -> None:
        self._context = trusting

    def clientConnectionForTLS(self, _protocol: object) -> SSL.Connection:
        """Return a connection."""
        return SSL.Connection(self._context, None)


async def _internal_error(testbed: Testbed) -> Evidence:
    context = SSL.Context(SSL.TLS_METHOD)
    context.load_verify_locations(str(testbed.certificates.authority))
    context.set_verify(SSL.VERIFY_PEER, lambda *_: False)
    port, server = testbed.stdlib_server(testbed.stdlib_context(server=True))
    client = HandshakeRecorder()
    testbed.connect(port, testbed.tls_factory(_Refusing(context), client, client=True))
    await testbed.require("end", lambda: client.lost and server.error)
    assert server.error is not None
    return evidence(
        "INTERNAL_ERROR" in server.error.reason,
        "a client whose verify callback returns False for a certificate that OpenSSL trusts",
        f"alert that the server receives: {server.error.reason}",
    )


async def _two_types(testbed: Testbed) -> Evidence:
    untrusted = await _reason_of_client(testbed, testbed.client_options(trusting=False))
    wrong = await _reason_of_client(testbed, testbed.client_options("elsewhere.example"))
    return evidence(
        exception_name(untrusted) == "SSL.Error" and type(untrusted) is not type(wrong),
        f"untrusted authority: {exception_name(untrusted)}: {exception_text(untrusted)}",
        f"wrong name: {exception_name(wrong)}: {exception_text(wrong)}",
    )


async def _reason_of_client(testbed: Testbed, options: Any) -> BaseException:
    server, client = HandshakeRecorder(), HandshakeRecorder()
    port = testbed.serve(server, "wrapped")
    testbed.connect(port, testbed.tls_factory(options, client, client=True))
    await testbed.require("end", lambda: client.lost)
    assert client.reason is not None
    return client.reason


FINDINGS = (
    Finding(
        "rejected-but-delivered",
        "Data that arrives with the end of the handshake is delivered despite loseConnection.",
        "A client may put data into the segment that completes its handshake. A server that "
        "inspects the certificate in handshakeCompleted and calls loseConnection() is given that "
        "data all the same, right after it has rejected the client; raising an exception there "
        "does not help either. If the data is a command, it is executed for someone who was just "
        "rejected. Set a flag, and discard what arrives later; tlsdemo never delivers the data of "
        "a rejected peer.",
        _after_lose,
    ),
    Finding(
        "aborted-but-delivered",
        "Under startTLS, even abortConnection does not stop the delivery of rejected data.",
        "With TLSMemoryBIOFactory, abortConnection() in handshakeCompleted stops the delivery. "
        "After startTLS the transport's abortConnection is TCP's: TLS is not informed, and "
        "delivers what it has decrypted. The same code is safe in one mode and not in the other. "
        "Set a flag of your own; tlsdemo stops the delivery in both modes.",
        _after_abort,
    ),
    Finding(
        "name-checked-too-late",
        "A client sends its certificate before it notices that the server's name is wrong.",
        "The server's name used to be checked when the handshake was complete. By then, under TLS "
        "1.2, a client with a certificate has sent it: the server knows who the client is, and "
        "considers the handshake successful. Newer versions check the name while they verify the "
        "server's certificate, before the client sends its own. With the older ones, use a client "
        "certificate only with servers whose authority issues certificates for a single name; "
        "tlsdemo checks early with every version.",
        _name_too_late,
        affected=AffectedVersions(until="26.4"),
    ),
    Finding(
        "handshake-completed-though-wrong-name",
        "handshakeCompleted is called on a client although the server's name is wrong.",
        "Where the name is checked at the end of the handshake (name-checked-too-late), the "
        "connection is already being aborted when handshakeCompleted is called: the very callback "
        "that is supposed to mean that the server is verified. Code that sends data there, or "
        "counts a success there, does so for any server that has any certificate of a trusted "
        "authority. What it writes is discarded, but only by luck. Upgrade; tlsdemo's event "
        "secure does not come in this case, with any version.",
        _completed_wrong_name,
        affected=AffectedVersions(until="26.4"),
    ),
    Finding(
        "verification-fails-in-two-types",
        "An untrusted server and a wrong name are reported by unrelated exceptions.",
        "An untrusted or expired certificate is reported as OpenSSL.SSL.Error, and a wrong name "
        "as service_identity's VerificationError. Both arrive in connectionLost, and neither is a "
        "ConnectionClosed. Code that handles one of them, and was tested with one of them, misses "
        "the other. Handle both; tlsdemo maps each to a cause with a name.",
        _two_types,
    ),
    Finding(
        "no-alert-for-wrong-name",
        "A client that rejects the server's name sends no alert, and only resets the connection.",
        "The name is checked in a callback of OpenSSL, which aborts the connection at once: the "
        "alert that OpenSSL would send when the callback returns has nowhere to go. RFC 8446, "
        "section 6.2, asks for a fatal alert. The operator of the server, who could correct "
        "the certificate or the name in DNS, sees only resets, as after a scan "
        "(endings-not-told-apart). Look at the client's log for them; tlsdemo's client "
        "sends an alert.",
        _no_alert,
    ),
    Finding(
        "internal-error-for-refused-certificate",
        "A verify callback that returns False reports an internal error to the peer.",
        "OpenSSL chooses the alert by the error that a callback has set, and pyOpenSSL offers no "
        "way to set one. So a callback that refuses a certificate which OpenSSL itself would "
        "accept, as for a name, a pin or a revocation, tells the peer internal_error, and its "
        "operator looks for a broken client in place of a wrong certificate. Where OpenSSL can "
        "verify what you need, have it do so; tlsdemo has it verify the name if pyOpenSSL can.",
        _internal_error,
    ),
)
