"""Findings about peers that are rejected, or ought to be."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from twisted.internet.interfaces import IHandshakeListener
from zope.interface import implementer

from tlsdemo.lab.findings.finding import Evidence, Finding, Span, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, name_of, words_of
from tlsdemo.lab.findings.stdlib_peer import Peer
from tlsdemo.lab.findings.testbed import NOTHING_HAPPENS, Testbed

_WAYS = ("wrapped", "startTLS")


@implementer(IHandshakeListener)
class _Rejecting(Listening):
    """Calls one method of its transport when the handshake is complete."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.on_handshake = lambda: getattr(self.transport, method)()


async def _with_finished(lab: Testbed, application: Listening, way: str) -> None:
    """Let a client send its Finished and some data in one segment."""
    peer = await lab.peer(lab.serve(application, way))
    peer.hold = True
    peer.start_tls(lab.foreign_context())
    peer.flush()
    await lab.must("answer the ClientHello", lambda: peer.complete)
    peer.send(b"launch")
    peer.flush()
    await lab.must("complete the handshake", lambda: application.complete)
    await lab.until(lambda: application.lost, NOTHING_HAPPENS)


async def _delivered(lab: Testbed, method: str) -> dict[str, Listening]:
    applications: dict[str, Listening] = {}
    for way in _WAYS:
        applications[way] = application = _Rejecting(method)
        await _with_finished(lab, application, way)
    return applications


async def _after_lose(lab: Testbed) -> Evidence:
    applications = await _delivered(lab, "loseConnection")
    return evidence(
        all(each.received for each in applications.values()),
        "Finished and data of the client in one segment, TLS 1.3",
        *(
            f"{way}, loseConnection() in handshakeCompleted: the application was told {each.told}"
            for way, each in applications.items()
        ),
    )


async def _after_abort(lab: Testbed) -> Evidence:
    applications = await _delivered(lab, "abortConnection")
    return evidence(
        bool(applications["startTLS"].received),
        "Finished and data of the client in one segment, TLS 1.3",
        *(
            f"{way}, abortConnection() in handshakeCompleted: the application was told {each.told}"
            for way, each in applications.items()
        ),
    )


async def _wrong_name(lab: Testbed, version: ssl.TLSVersion) -> tuple[Listening, Peer]:
    """Have a client with a certificate meet a server that is somebody else."""
    context = lab.foreign_context(server=True, version=version)
    context.verify_mode = ssl.CERT_REQUIRED
    port, server = lab.foreign_server(context)
    client = Listening()
    options = lab.client_options("elsewhere.example", certificate=True)
    lab.connect(port, lab.wrapped(options, client, client=True))
    await lab.must("end", lambda: client.lost and server.lost)
    return client, server


async def _name_too_late(lab: Testbed) -> Evidence:
    seen, shown = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client, server = await _wrong_name(lab, version)
        assert server.tls is not None and client.reason is not None
        certificate = server.complete and server.tls.getpeercert()
        shown.append(bool(certificate))
        seen.append(
            f"{version.name.replace('v1_', ' 1.')}: the server "
            f"{'has' if certificate else 'never had'} the client's certificate; its handshake is "
            f"{'complete' if server.complete else 'not complete'}; the client was told "
            f"{client.told}"
        )
    return evidence(any(shown), "a server for localhost, taken for elsewhere.example", *seen)


async def _completed_wrong_name(lab: Testbed) -> Evidence:
    seen, completed = [], []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client, _ = await _wrong_name(lab, version)
        completed.append(client.complete)
        seen.append(f"{version.name.replace('v1_', ' 1.')}: the client was told {client.told}")
    return evidence(any(completed), "a server for localhost, taken for elsewhere.example", *seen)


async def _two_types(lab: Testbed) -> Evidence:
    reasons = {}
    cases: dict[str, Callable[[], object]] = {
        "untrusted authority": lambda: lab.client_options(trusting=False),
        "wrong name": lambda: lab.client_options("elsewhere.example"),
    }
    for case, options in cases.items():
        server, client = Listening(), Listening()
        port = lab.serve(server, "wrapped")
        lab.connect(port, lab.wrapped(options(), client, client=True))
        await lab.must("end", lambda client=client: client.lost)  # type: ignore[misc]
        assert client.reason is not None
        reasons[case] = client.reason
    untrusted, wrong = reasons.values()
    return evidence(
        name_of(untrusted) == "SSL.Error" and type(untrusted) is not type(wrong),
        *(f"{case}: {name_of(error)}: {words_of(error)}" for case, error in reasons.items()),
    )


FINDINGS = (
    Finding(
        "rejected-but-delivered",
        "Data that came along with the handshake is delivered although loseConnection was called.",
        "A client may put data into the segment that ends its handshake. A server that looks at "
        "the certificate in handshakeCompleted and calls loseConnection() is still given that "
        "data, right after it has said no; an exception there does not help either. If that "
        "data is a command, it is obeyed for somebody who was just rejected. Keep a flag and "
        "drop what comes after it; with tlsdemo a rejected peer's data is never delivered.",
        _after_lose,
    ),
    Finding(
        "aborted-but-delivered",
        "Under startTLS even abortConnection does not keep rejected data from the application.",
        "With TLSMemoryBIOFactory abortConnection() in handshakeCompleted holds the data back. "
        "After startTLS the transport's abortConnection is TCP's: TLS does not learn of it and "
        "delivers what it has decrypted. The same code is so safe in one mode and not in the "
        "other. Keep a flag of your own; with tlsdemo both modes hold it back.",
        _after_abort,
    ),
    Finding(
        "name-checked-too-late",
        "A client shows its certificate to a server before it finds that the name is wrong.",
        "The server's name was compared when the handshake was complete. Under TLS 1.2 a client "
        "with a certificate has sent it by then: the server knows who is there, and takes the "
        "handshake for a success. Newer versions compare it while the server's certificate is "
        "verified, before anything of the client's is sent. With the older ones, give a client "
        "certificate only to servers whose authority issues for one name; tlsdemo compares "
        "early with every version.",
        _name_too_late,
        span=Span(until="26.4"),
    ),
    Finding(
        "handshake-completed-though-wrong-name",
        "A client is told handshakeCompleted by a server whose name is wrong.",
        "Where the name is compared at the end of the handshake (name-checked-too-late), the "
        "connection is already being aborted when handshakeCompleted is called all the same: "
        "the very callback that is to say that the server is verified. Code that sends there, "
        "or counts success there, does so for any server with any certificate of a trusted "
        "authority; what it writes is dropped, which is luck. Upgrade; tlsdemo's secure does "
        "not come then, with any version.",
        _completed_wrong_name,
        span=Span(until="26.4"),
    ),
    Finding(
        "verification-fails-in-two-types",
        "A client is told of an untrusted server and of a wrong name by unrelated exceptions.",
        "An untrusted or expired certificate is OpenSSL.SSL.Error, a wrong name is "
        "service_identity's VerificationError, both through connectionLost, and neither is a "
        "ConnectionClosed. Code that handles one of them, and has been tried with one of them, "
        "misses the other. Handle both; in tlsdemo each is a cause with a name.",
        _two_types,
    ),
)
