"""Twisted as it is, with nothing of tlsdemo's own: what its stock peers share."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from ssl import TLSVersion
from typing import Any

from cryptography.hazmat.backends.openssl.backend import backend
from twisted.internet import ssl
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import LogEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.lab.stacks.journal import Fact, Journal, said, sized
from tlsdemo.lab.stacks.stack_config import Auth, Scenario, StackConfig

LINGER = 0.05
"""Seconds for what may still come after the connection's end."""

_VERSIONS = {"TLSv1.2": TLSVersion.TLSv1_2, "TLSv1.3": TLSVersion.TLSv1_3}

ServerFactory = Callable[[Journal, ssl.CertificateOptions, StackConfig], Any]
"""Returns an IProtocolFactory for one connection."""


def versions() -> dict[str, str]:
    """Return the versions that decide how these peers behave."""
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
    # Not by lowerMaximumSecurityTo: until Twisted 25.5 that excludes the version that it names.
    context = options.getContext()
    context.set_min_proto_version(_VERSIONS[config.minimum])
    context.set_max_proto_version(_VERSIONS[config.maximum])
    return options


@implementer(IHandshakeListener)
class Echo(Protocol):
    """An application that echoes, and writes down what Twisted tells it."""

    transport: Any
    under_tls = False
    """Whether the transport has been told to use TLS under the application."""

    def __init__(self, journal: Journal, scenario: Scenario) -> None:
        self._journal = journal
        self._scenario = scenario
        journal.facts = self._facts

    def _facts(self) -> dict[str, Fact]:
        # What makes the handshake is, under startTLS, not the transport but its protocol.
        transport = self.transport
        secured: Any = getattr(transport, "protocol", None) if self.under_tls else transport
        if not hasattr(secured, "negotiatedProtocol"):
            return {"peer": False}
        peer = secured.getPeerCertificate() is not None
        protocol = secured.negotiatedProtocol
        return {"peer": peer, "alpn": protocol and protocol.decode()}

    def ask_for_tls(self) -> None:
        """Do nothing: there is TLS already."""

    def connectionMade(self) -> None:
        """Ask for TLS where it has to be asked for, and write if the server is to be first."""
        self._journal.record("connectionMade", type(self.transport).__name__)
        self.ask_for_tls()
        if self._scenario is Scenario.SERVER_FIRST:
            self._journal.record("write called", sized(b"hello"))
            self.transport.write(b"hello")

    def handshakeCompleted(self) -> None:
        """Note it."""
        self._journal.record("handshakeCompleted")

    def dataReceived(self, data: bytes) -> None:
        """Echo."""
        self._journal.record("dataReceived", sized(data))
        self.transport.write(data)
        if self._scenario is Scenario.SERVER_CLOSES:
            self._journal.record("loseConnection called")
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the end."""
        self._journal.record("connectionLost", said(reason.value))


class _Once(Factory):
    """Has one connection, and calls ``ended`` a moment after its protocol was told of its end."""

    def __init__(self, inner: Any, accepted: Callable[[], object], ended: Any) -> None:
        self._inner = inner
        self._accepted = accepted
        self._ended = ended
        self._had = False

    def buildProtocol(self, addr: Any) -> Any:
        if self._had:
            return None
        self._had = True
        self._accepted()
        protocol: Any = self._inner.buildProtocol(addr)
        lost = protocol.connectionLost

        def connection_lost(reason: Failure = connectionDone) -> None:
            lost(reason)
            self._ended()

        protocol.connectionLost = connection_lost
        return protocol


def serve_one(reactor: Any, factory: ServerFactory) -> None:
    """Run a program: one connection, which ``factory`` secures."""
    config = StackConfig.from_json(sys.argv[1])
    journal = Journal()
    journal.take_logs()
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
            journal.record("logged", said(failure.value))

    return observe
