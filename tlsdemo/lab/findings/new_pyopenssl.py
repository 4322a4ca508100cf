"""Findings about what new releases of pyOpenSSL refuse, and what that does to Twisted."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import Factory
from twisted.internet.ssl import KeyPair
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import HandshakeRecorder
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence

_PROTOCOL = "http/1.1"


async def _changed(testbed: Testbed) -> Evidence:
    options, application = testbed.server_options(), HandshakeRecorder()
    await testbed.connect_secured(testbed.serve(application, "wrapped", options))
    context, own = options.getContext(), testbed.certificates.server
    assert own.certificate is not None
    certificate = str(own.certificate)
    changes: dict[str, Callable[[], object]] = {
        "use_certificate_chain_file": lambda: context.use_certificate_chain_file(certificate),
        "set_cipher_list": lambda: context.set_cipher_list(b"ECDHE+AESGCM"),
        "set_info_callback": lambda: context.set_info_callback(lambda *event: None),
    }
    refusals = {name: _refusal(change) for name, change in changes.items()}
    return evidence(
        all(each.startswith("ValueError") for each in refusals.values()),
        "on the context of a server to which a client has connected",
        *(f"{name}: {refusal or 'works'}" for name, refusal in refusals.items()),
    )


def _refusal(change: Callable[[], object]) -> str:
    """Return the exception that a call raises, as text; empty if it raises none."""
    with warnings.catch_warnings():
        # Before it became an error, it was deprecated; so are other parts of pyOpenSSL.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            change()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return ""


@implementer(IProtocolNegotiationFactory)
class _Negotiating(Factory):
    """A factory that names the protocols which it speaks, as that of twisted.web does."""

    noisy = False

    def __init__(self, application: HandshakeRecorder) -> None:
        self.application = application

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802
        """Return the names."""
        return [_PROTOCOL.encode()]

    def buildProtocol(self, addr: object) -> HandshakeRecorder:
        """Return the application."""
        return self.application


async def _negotiation(testbed: Testbed) -> Evidence:
    options, failed, lines = testbed.server_options(), [], []
    for offered in ([], [_PROTOCOL]):
        application, context = HandshakeRecorder(), testbed.stdlib_context()
        if offered:
            context.set_alpn_protocols(offered)
        factory = TLSMemoryBIOFactory(options, False, _Negotiating(application))
        peer = await testbed.connect_peer(testbed.listen(factory))
        if not peer.lost:
            peer.start_tls(context)
        await testbed.require(
            "end or complete the handshake",
            lambda peer=peer, application=application: (  # type: ignore[misc]
                peer.lost or peer.error or application.handshake_completed
            ),
        )
        failed.append(not application.handshake_completed)
        lines.append(
            f"client offers {', '.join(offered) or 'nothing'}: callbacks of the server's "
            f"application: {application.callbacks_text}"
        )
    logged = ", ".join(dict.fromkeys(testbed.logged)) or "none"
    return evidence(all(failed), *lines, f"logged exceptions: {logged}")


async def _self_signed(testbed: Testbed) -> Evidence:
    keys = KeyPair.generate()
    refusal = _refusal(lambda: keys.selfSignedCert(1, CN="localhost"))
    return evidence(
        bool(refusal), f'KeyPair.generate().selfSignedCert(1, CN="localhost"): {refusal or "works"}'
    )


FINDINGS = (
    Finding(
        "context-frozen-by-connection",
        "A context can no longer be changed once a connection has been made with it.",
        "pyOpenSSL refuses it with a ValueError, because such a change was never safe while "
        "connections use the context; from 25.1 to 26.1 it only warned. A server that loads a "
        "renewed certificate into its context, and a creator of connections that sets a callback "
        "on a shared context for each of them, fail after an upgrade: not when they start, but "
        "from the second connection on. Make a new context, and let the creator of connections "
        "return connections of that one; tlsdemo does so when it reloads its certificates.",
        _changed,
        affected=AffectedVersions("pyOpenSSL", since="26.2"),
    ),
    Finding(
        "negotiation-kills-connections",
        "With a new pyOpenSSL, an older Twisted ends every connection that could negotiate ALPN.",
        "If the factory names application protocols, as that of twisted.web does, Twisted before "
        "26.4 sets them on the context of a connection that has just been made. pyOpenSSL refuses "
        "that since 26.2 (context-frozen-by-connection). So every connection ends before the "
        "handshake, whether the client offers a protocol or not, and the log has two exceptions "
        "for each. Nothing keeps pip from installing both together. Upgrade Twisted with "
        "pyOpenSSL, or keep pyOpenSSL below 26.2; tlsdemo sets protocols when it makes a context.",
        _negotiation,
        affected=AffectedVersions(until="26.4", beside=AffectedVersions("pyOpenSSL", since="26.2")),
        tickets=(12500,),
    ),
    Finding(
        "self-signed-certificate-fails",
        "With a new pyOpenSSL, an older Twisted can no longer make a self-signed certificate.",
        "KeyPair.selfSignedCert, requestObject, and all else that makes a request for a "
        "certificate, use OpenSSL.crypto.X509Req, which pyOpenSSL has removed in 26.3. They raise "
        "AttributeError, most often in a project's tests, where certificates are made. Upgrade "
        "Twisted with pyOpenSSL, or make certificates with cryptography or trustme; tlsdemo uses "
        "trustme.",
        _self_signed,
        affected=AffectedVersions(
            until="26.10", beside=AffectedVersions("pyOpenSSL", since="26.3")
        ),
    ),
)
