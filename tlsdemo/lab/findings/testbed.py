"""Loopback connections with stock Twisted, every one of them closed when a reproduction ends."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
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
from twisted.protocols.policies import ProtocolWrapper
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    RecordingProtocol,
    factory_of,
)
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer

LOOPBACK = "127.0.0.1"

QUIET = 0.1
"""Seconds after which nothing more happens on the loopback interface unless a timer fires.

It is more than twice the 40 ms by which the kernel may delay an ACK, and so a small segment.
"""

_TURNS = 5
"""Iterations of the reactor for what has arrived while a busy machine did not run this process."""

WAIT_TIMEOUT = 5.0
"""Seconds that a wait may take, unless it says otherwise, and the closing in the end."""

_TICK = 0.001


class NoVerdict(Exception):
    """A reproduction cannot reach a verdict; the text is one line that says why."""


class Testbed:
    """What one reproduction needs: settings, connections, and time.

    Args:
        reactor: The global reactor, running: ``startTLS`` always uses that one.
        certificates: The demo certificates.
    """

    def __init__(self, reactor: Any, certificates: DemoCertificates) -> None:
        self.reactor = reactor
        self.certificates = certificates
        self.logged: list[str] = []
        """The type of each exception that was logged, and the format of each warning."""
        self._ports: list[Any] = []
        self._protocols: list[Any] = []
        globalLogPublisher.addObserver(self._observe)  # type: ignore[arg-type]

    # Settings of stock Twisted and of the standard library.

    def server_options(
        self, require_certificate: bool = False, **settings: Any
    ) -> CertificateOptions:
        """Return the options of a server, which may require a certificate of its clients."""
        if require_certificate:
            settings["trustRoot"] = self.ca_certificate()
        own = _private(self.certificates.server)
        return CertificateOptions(
            privateKey=own.privateKey.original, certificate=own.original, **settings
        )

    def client_options(
        self, name: str = "localhost", trusting: bool = True, certificate: bool = False
    ) -> Any:
        """Return the options of a client that expects a server of this ``name``."""
        return optionsForClientTLS(
            name,
            trustRoot=self.ca_certificate() if trusting else None,
            clientCertificate=_private(self.certificates.client) if certificate else None,
        )

    def ca_certificate(self) -> Certificate:
        """Return the certificate of the demo CA."""
        return Certificate.loadPEM(self.certificates.authority.read_bytes())

    def stdlib_context(
        self,
        server: bool = False,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        trusting: bool = True,
        certificate: bool = False,
    ) -> ssl.SSLContext:
        """Return a context of the standard library, for exactly one ``version`` of TLS."""
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

    def tls_factory(
        self, options: Any, application: Any, client: bool = False, unbuffered: bool = False
    ) -> TLSMemoryBIOFactory:
        """Return a factory that uses TLS from the first byte on.

        ``unbuffered``: with the TLSMemoryBIOProtocol that one creates by hand.
        """
        factory = TLSMemoryBIOFactory(options, client, factory_of(application))
        if unbuffered:
            factory.protocol = TLSMemoryBIOProtocol
        return factory

    def listen(self, factory: Any) -> int:
        """Listen on a free port, and return its number."""
        port = self.reactor.listenTCP(0, _Tracking(factory, self._protocols), interface=LOOPBACK)
        self._ports.append(port)
        return int(port.getHost().port)

    async def listen_at(self, description: str, factory: Any) -> int:
        """Listen at the endpoint with this string description, and return its port."""
        endpoint = serverFromString(self.reactor, description)
        port: Any = await endpoint.listen(_Tracking(factory, self._protocols))
        self._ports.append(port)
        return int(port.getHost().port)

    def serve(self, application: RecordingProtocol, mode: str, options: Any = None) -> int:
        """Serve ``application``, and return the port.

        ``mode``: ``plain``; ``wrapped``, in a TLSMemoryBIOFactory; or ``startTLS``, called in
        connectionMade.
        """
        options = options or self.server_options()
        if mode == "wrapped":
            return self.listen(self.tls_factory(options, application))
        if mode == "startTLS":
            application.on_connected = lambda: application.transport.startTLS(options)
        return self.listen(factory_of(application))

    def connect(self, port: int, factory: Any) -> None:
        """Begin to connect to ``port``."""
        self.reactor.connectTCP(LOOPBACK, port, _Tracking(factory, self._protocols))

    def close_at_end(self, protocol: Any) -> None:
        """Close the connection of ``protocol``, which was not made by this testbed, in the end."""
        self._protocols.append(protocol)

    async def connect_peer(self, port: int) -> StdlibPeer:
        """Return a peer that is connected to ``port``, without TLS."""
        peer = StdlibPeer()
        self.connect(port, factory_of(peer))
        await self.require("connect", lambda: peer.transport is not None)
        return peer

    async def connect_secured(
        self, port: int, context: ssl.SSLContext | None = None, **settings: Any
    ) -> StdlibPeer:
        """Return a client that is connected to ``port`` and has completed its own handshake."""
        peer = await self.connect_peer(port)
        peer.start_tls(context or self.stdlib_context(), **settings)
        await self.require("complete the handshake", lambda: peer.handshake_completed)
        return peer

    async def secured_peer_of(
        self, application: HandshakeRecorder, mode: str = "wrapped"
    ) -> StdlibPeer:
        """Serve ``application``, and return a client; the handshake of both ends is complete."""
        peer = await self.connect_secured(self.serve(application, mode))
        await self.require("complete the handshake", lambda: application.handshake_completed)
        return peer

    def stdlib_server(self, context: ssl.SSLContext) -> tuple[int, StdlibPeer]:
        """Return the port of a TLS server of the standard library, and the server."""
        peer = StdlibPeer()
        peer.on_connected = lambda: peer.start_tls(context, server=True)
        return self.listen(factory_of(peer)), peer

    # Time.

    async def wait_until(
        self, condition: Callable[[], object], timeout: float = WAIT_TIMEOUT
    ) -> bool:
        """Wait at most ``timeout`` seconds for ``condition``; return whether it holds."""
        end = self.reactor.seconds() + timeout
        while not condition():
            if self.reactor.seconds() > end:
                return False
            await self.pause(_TICK)
        return True

    async def require(
        self, what: str, condition: Callable[[], object], timeout: float = WAIT_TIMEOUT
    ) -> None:
        """Wait for something without which the reproduction makes no sense.

        Raises:
            NoVerdict: If ``condition`` does not hold within ``timeout`` seconds.
        """
        if not await self.wait_until(condition, timeout):
            raise NoVerdict(f"it did not {what} within {timeout:g} s")

    async def pause(self, seconds: float) -> None:
        """Let the reactor run for ``seconds``."""
        await deferLater(self.reactor, seconds, lambda: None)

    async def wait_until_quiet(self) -> None:
        """Wait until nothing more can happen unless a timer fires; see :data:`QUIET`."""
        await self.pause(QUIET)
        for _ in range(_TURNS):
            await self.pause(0)

    def delayed_calls(self) -> set[Any]:
        """Return the timers of the reactor."""
        return set(self.reactor.getDelayedCalls())

    # The end.

    async def close(self) -> None:
        """Close every port and every connection."""
        globalLogPublisher.removeObserver(self._observe)  # type: ignore[arg-type]
        for port in self._ports:
            stopped: Deferred[object] = maybeDeferred(port.stopListening)
            await stopped
        transports = [
            _lowest(each.transport) for each in self._protocols if each.transport is not None
        ]
        for transport in transports:
            transport.abortConnection()
        await self.wait_until(lambda: not any(transport.connected for transport in transports))

    def _observe(self, event: LogEvent) -> None:
        # Twisted's older way of logging calls it failure.
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            self.logged.append(failure.type.__name__)
        elif event.get("log_level", LogLevel.info) >= LogLevel.warn:
            self.logged.append(str(event.get("log_format")))


def _lowest(transport: Any) -> Any:
    """Return the TCP transport: one of TLS can no longer be aborted once it is lost."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


class _Tracking(ClientFactory):
    """Wraps a factory, and keeps the protocols that it builds."""

    noisy = False

    def __init__(self, factory: Any, built: list[Any]) -> None:
        self._factory = factory
        self._built = built

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Build a protocol, and keep it."""
        protocol = self._factory.buildProtocol(addr)
        self._built.append(protocol)
        return protocol


def limit_buffers(*transports: Any, size: int = 1 << 16) -> int:
    """Have the kernel buffer little for these TCP transports; return the most it will, in bytes."""
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
