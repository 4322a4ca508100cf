"""The laboratory: loopback connections with stock Twisted, all of them bounded and cleared away."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    optionsForClientTLS,
)
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.lab.findings.finding import CannotTell
from tlsdemo.lab.findings.recording_protocols import Recording, factory_of
from tlsdemo.lab.findings.stdlib_peer import Peer

LOOPBACK = "127.0.0.1"

NOTHING_HAPPENS = 0.3
"""Seconds after which we say that nothing happens."""

_TIMEOUT = 2.0
_TICK = 0.001


class Testbed:
    """Where one finding is reproduced.

    Args:
        reactor: Twisted's own, running; ``startTLS`` always uses that one.
        certificates: The demonstration's.
    """

    def __init__(self, reactor: Any, certificates: DemoCertificates) -> None:
        self.reactor = reactor
        self.certificates = certificates
        self.logged: list[str] = []
        """What went wrong according to the log: the types of exceptions, and warnings."""
        self._ports: list[Any] = []
        self._outermost: list[Any] = []
        globalLogPublisher.addObserver(self._observe)  # type: ignore[arg-type]

    # Stock settings.

    def server_options(self, demand: bool = False, **settings: Any) -> CertificateOptions:
        """Return a server's; with ``demand``, clients have to show a certificate."""
        if demand:
            settings["trustRoot"] = self.authority()
        own = _private(self.certificates.server)
        return CertificateOptions(
            privateKey=own.privateKey.original, certificate=own.original, **settings
        )

    def client_options(
        self, name: str = "localhost", trusting: bool = True, certificate: bool = False
    ) -> Any:
        """Return a client's, which expects a server of that ``name``."""
        return optionsForClientTLS(
            name,
            trustRoot=self.authority() if trusting else None,
            clientCertificate=_private(self.certificates.client) if certificate else None,
        )

    def authority(self) -> Certificate:
        """Return the demonstration's authority."""
        pem = self.certificates.authority.read_bytes()
        return Certificate.loadPEM(pem)

    def foreign_context(
        self,
        server: bool = False,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        trusting: bool = True,
        certificate: bool = False,
    ) -> ssl.SSLContext:
        """Return what a foreign peer speaks: one version of TLS, with the standard library's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = version
        if trusting:
            context.load_verify_locations(self.certificates.authority)
        if server or certificate:
            own = self.certificates.server if server else self.certificates.client
            assert own.certificate is not None
            context.load_cert_chain(own.certificate, own.key)
        return context

    # Connections.

    def wrapped(
        self, options: Any, application: Any, client: bool = False, unbuffered: bool = False
    ) -> TLSMemoryBIOFactory:
        """Return TLS from the first byte on; ``unbuffered`` as somebody makes it by hand."""
        factory = TLSMemoryBIOFactory(options, client, factory_of(application))
        if unbuffered:
            factory.protocol = TLSMemoryBIOProtocol
        return factory

    def listen(self, factory: Any) -> int:
        """Listen, and return the number of the port."""
        port = self.reactor.listenTCP(0, _Watched(factory, self._outermost), interface=LOOPBACK)
        self._ports.append(port)
        return int(port.getHost().port)

    def serve(self, application: Recording, way: str, options: Any = None) -> int:
        """Have ``application`` served: ``plain``, ``wrapped`` or with ``startTLS`` at once."""
        options = options or self.server_options()
        if way == "wrapped":
            return self.listen(self.wrapped(options, application))
        if way == "startTLS":
            application.on_made = lambda: application.transport.startTLS(options)
        return self.listen(factory_of(application))

    def connect(self, port: int, factory: Any) -> None:
        """Begin to connect."""
        self.reactor.connectTCP(LOOPBACK, port, _Watched(factory, self._outermost))

    def watch(self, outermost: Any) -> None:
        """Clear away this connection too, which was made elsewhere."""
        self._outermost.append(outermost)

    async def peer(self, port: int) -> Peer:
        """Return a foreign peer, connected."""
        peer = Peer()
        self.connect(port, factory_of(peer))
        await self.must("connect", lambda: peer.transport is not None)
        return peer

    def foreign_server(self, context: ssl.SSLContext) -> tuple[int, Peer]:
        """Return the port of a foreign server of TLS, and the server."""
        peer = Peer()
        peer.on_made = lambda: peer.start_tls(context, server=True)
        return self.listen(factory_of(peer)), peer

    async def secured(
        self, port: int, context: ssl.SSLContext | None = None, **settings: Any
    ) -> Peer:
        """Return a foreign client whose handshake is complete, as far as it is concerned."""
        peer = await self.peer(port)
        peer.start_tls(context or self.foreign_context(), **settings)
        await self.must("complete the handshake", lambda: peer.complete)
        return peer

    # Time.

    async def until(self, happened: Callable[[], object], within: float = _TIMEOUT) -> bool:
        """Wait until something has happened; False if it has not ``within`` so many seconds."""
        end = self.reactor.seconds() + within
        while not happened():
            if self.reactor.seconds() > end:
                return False
            await self.pause(_TICK)
        return True

    async def must(self, do: str, happened: Callable[[], object], within: float = _TIMEOUT) -> None:
        """Wait for what the reproduction depends on; raises CannotTell if it does not happen."""
        if not await self.until(happened, within):
            raise CannotTell(f"it did not {do} within {within:g} s")

    async def pause(self, seconds: float = NOTHING_HAPPENS) -> None:
        """Let time pass."""
        await deferLater(self.reactor, seconds, lambda: None)

    def timers(self) -> set[Any]:
        """Return all that the reactor is going to do at some time."""
        return set(self.reactor.getDelayedCalls())

    # The end.

    async def close(self) -> None:
        """Clear everything away."""
        globalLogPublisher.removeObserver(self._observe)  # type: ignore[arg-type]
        for port in self._ports:
            stopped: Deferred[object] = maybeDeferred(port.stopListening)
            await stopped
        transports = [each.transport for each in self._outermost if each.transport is not None]
        for transport in transports:
            transport.abortConnection()
        await self.until(lambda: not any(transport.connected for transport in transports))

    def _observe(self, event: LogEvent) -> None:
        # Twisted's older way of logging calls it failure.
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            self.logged.append(failure.type.__name__)
        elif event.get("log_level", LogLevel.info) >= LogLevel.warn:
            self.logged.append(str(event.get("log_format")))


class _Watched(ClientFactory):
    """A factory that remembers what another has built."""

    noisy = False

    def __init__(self, factory: Any, built: list[Any]) -> None:
        self._factory = factory
        self._built = built

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Build and remember."""
        protocol = self._factory.buildProtocol(addr)
        self._built.append(protocol)
        return protocol


def limit_buffers(*transports: Any, size: int = 1 << 16) -> int:
    """Have the system buffer little for these TCP transports; return how many bytes, at most."""
    limits = []
    for transport in transports:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            transport.getHandle().setsockopt(socket.SOL_SOCKET, option, size)
            limits.append(transport.getHandle().getsockopt(socket.SOL_SOCKET, option))
    return sum(limits)


def _private(credentials: Credentials) -> PrivateCertificate:
    assert credentials.certificate is not None and credentials.key is not None
    pem = credentials.certificate.read_bytes() + credentials.key.read_bytes()
    return PrivateCertificate.loadPEM(pem)  # type: ignore[no-any-return]
