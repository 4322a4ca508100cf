"""What the stacks of stock Twisted share; none of tlsdemo's own TLS code is used."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from cryptography.hazmat.backends.openssl.backend import backend
from twisted.internet import ssl
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import LogEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.lab.stacks.journal import Fact, Journal, error_text, size_text
from tlsdemo.lab.stacks.stack_config import LINGER, Auth, Script, StackConfig

ServerFactory = Callable[[Journal, ssl.CertificateOptions, StackConfig], Any]
"""Returns the IProtocolFactory of a server for one connection."""


def versions() -> dict[str, str]:
    """Return the versions that determine how these stacks behave."""
    named = {name: metadata.version(name) for name in ("Twisted", "pyOpenSSL", "cryptography")}
    python = {"Python": platform.python_version()}
    return {**python, **named, "OpenSSL": backend.openssl_version_text()}


def server_options(config: StackConfig) -> ssl.CertificateOptions:
    """Return stock ``CertificateOptions`` for a server."""
    pem = Path(config.certificate).read_bytes() + Path(config.key).read_bytes()
    own = ssl.PrivateCertificate.loadPEM(pem)
    trust: dict[str, Any] = {}
    if config.client_auth is not Auth.NONE:
        assert config.authority is not None
        authority = ssl.Certificate.loadPEM(Path(config.authority).read_bytes())
        trust = {
            "verify": True,
            "caCerts": [authority.original],
            "requireCertificate": config.client_auth is Auth.REQUIRED,
        }
    options = ssl.CertificateOptions(
        privateKey=own.privateKey.original,
        certificate=own.original,
        acceptableProtocols=[each.encode() for each in config.alpn] or None,
        **trust,
    )
    # Until Twisted 25.5, lowerMaximumSecurityTo excludes the version that it names.
    context = options.getContext()
    lowest, highest = config.tls_versions
    context.set_min_proto_version(lowest)
    context.set_max_proto_version(highest)
    return options


@implementer(IHandshakeListener)
class Echo(Protocol):
    """An application that echoes, and records the callbacks that Twisted makes."""

    transport: Any
    under_tls = False
    """Whether ``startTLS`` has been called on the transport."""

    def __init__(self, journal: Journal, script: Script) -> None:
        self._journal = journal
        self._script = script
        journal.facts = self._facts

    def _facts(self) -> dict[str, Fact]:
        # After startTLS, TLS is not the transport but the transport's protocol.
        transport = self.transport
        secured: Any = getattr(transport, "protocol", None) if self.under_tls else transport
        if not hasattr(secured, "negotiatedProtocol"):
            return {"peer": False}
        peer = secured.getPeerCertificate() is not None
        protocol = secured.negotiatedProtocol
        return {"peer": peer, "alpn": protocol and protocol.decode()}

    def start_tls(self) -> None:
        """Do nothing: the transport uses TLS already."""

    def connectionMade(self) -> None:
        """Start TLS if necessary, and write if the server writes first."""
        self._journal.record("connectionMade", type(self.transport).__name__)
        self.start_tls()
        if self._script is Script.SERVER_FIRST:
            self._journal.record("write called", size_text(b"hello"))
            self.transport.write(b"hello")

    def handshakeCompleted(self) -> None:
        """Record the callback."""
        self._journal.record("handshakeCompleted")

    def dataReceived(self, data: bytes) -> None:
        """Record the callback, and echo."""
        self._journal.record("dataReceived", size_text(data))
        self.transport.write(data)
        if self._script is Script.SERVER_CLOSES:
            self._journal.record("loseConnection called")
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Record the callback and its reason."""
        self._journal.record("connectionLost", error_text(reason.value))


class _Once(Factory):
    """Accepts one connection, and calls ``ended`` when it has ended."""

    def __init__(self, inner: Any, accepted: Callable[[], object], ended: Any) -> None:
        self._inner = inner
        self._accepted = accepted
        self._ended = ended
        self._connected = False

    def buildProtocol(self, addr: Any) -> Any:
        if self._connected:
            return None
        self._connected = True
        self._accepted()
        protocol: Any = self._inner.buildProtocol(addr)
        lost = protocol.connectionLost

        def connection_lost(reason: Failure = connectionDone) -> None:
            lost(reason)
            self._ended()

        protocol.connectionLost = connection_lost
        return protocol


def serve_one(factory: ServerFactory) -> None:
    """Run a program that serves one connection with ``factory``."""
    from twisted.internet import reactor as global_reactor

    reactor: Any = global_reactor
    config = StackConfig.from_json(sys.argv[1])
    journal = Journal()
    journal.capture_logs()
    globalLogBeginner.beginLoggingTo([_logged_to(journal)], redirectStandardIO=False)

    def accepted() -> None:
        listening.stopListening()

    def ended() -> None:
        reactor.callLater(LINGER, reactor.stop)

    def give_up() -> None:
        reactor.stop()
        journal.record("timed out")

    once = _Once(factory(journal, server_options(config), config), accepted, ended)
    listening = reactor.listenTCP(0, once, interface="127.0.0.1")
    journal.begin(listening.getHost().port, versions())
    reactor.callLater(config.timeout, give_up)
    reactor.run()


def _logged_to(journal: Journal) -> Any:
    def observe(event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            journal.record("logged", error_text(failure.value))

    return observe
