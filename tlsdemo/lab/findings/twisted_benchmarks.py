"""Benchmarks of TLS: handshakes, resumption, C{startTLS}, small and large writes.

All but one run in memory, so that nothing is measured but Twisted, pyOpenSSL and OpenSSL.  They use
what Twisted offers to everybody, and the fixture C{benchmark} of pytest-codspeed or
pytest-benchmark.
"""

# "tlsdemo findings --as-benchmarks" copies this module: it must not import tlsdemo.

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener, IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    optionsForClientTLS,
)
from twisted.internet.task import Clock
from twisted.internet.tcp import Server
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

Benchmark = Callable[[Callable[[], Any]], Any]


def make_certificate(name: str) -> PrivateCertificate:
    """Make a self-signed certificate with an ECDSA key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return PrivateCertificate.loadPEM(pem)  # type: ignore[no-any-return]


CERTIFICATE = make_certificate("localhost")
AUTHORITY = Certificate.loadPEM(CERTIFICATE.dumpPEM())


def server_options(**settings: Any) -> CertificateOptions:
    """Make the options of a server."""
    return CertificateOptions(
        privateKey=CERTIFICATE.privateKey.original,
        certificate=CERTIFICATE.original,
        **settings,
    )


def client_options(certificate: PrivateCertificate | None = None) -> Any:
    """Make the options of a client, which verifies the server."""
    return optionsForClientTLS("localhost", trustRoot=AUTHORITY, clientCertificate=certificate)


@implementer(IHandshakeListener)
class Receiver(Protocol):
    """Counts the bytes that it receives, and remembers that the handshake is complete."""

    secure = False
    received = 0

    def handshakeCompleted(self) -> None:
        """Remember it."""
        self.secure = True

    def dataReceived(self, data: bytes) -> None:
        """Count the bytes."""
        self.received += len(data)


class Pair:
    """A client and a server that are connected in memory.

    @param client: The options of the client.
    @param server: The options of the server.
    @param unbuffered: Whether each write becomes a record of its own.
    """

    def __init__(self, client: Any, server: Any, unbuffered: bool = False) -> None:
        self.clock = Clock()
        self.client = Receiver()
        self.server = Receiver()
        self.wires: list[tuple[Any, StringTransport]] = []
        #: The number of bytes that the client and the server have sent.
        self.sent = [0, 0]
        for options, protocol in ((client, self.client), (server, self.server)):
            factory = TLSMemoryBIOFactory(
                options,
                protocol is self.client,
                Factory.forProtocol(lambda protocol=protocol: protocol),  # type: ignore[misc]
                self.clock,
            )
            if unbuffered:
                factory.protocol = TLSMemoryBIOProtocol
            self.wires.append((factory.buildProtocol(None), StringTransport()))
        for tls, transport in reversed(self.wires):
            tls.makeConnection(transport)

    def pump(self) -> None:
        """Deliver what both have written, until neither writes any more."""
        moved = True
        while moved:
            self.clock.advance(0)
            moved = False
            for number, (_, transport) in enumerate(self.wires):
                data = transport.value()
                if data:
                    transport.clear()
                    self.sent[number] += len(data)
                    self.wires[1 - number][0].dataReceived(data)
                    moved = True

    def handshake(self) -> Pair:
        """Complete the handshake."""
        self.pump()
        assert self.client.secure and self.server.secure
        return self


def test_handshake(benchmark: Benchmark) -> None:
    """A full handshake with the newest version of TLS."""
    client, server = client_options(), server_options()
    benchmark(lambda: Pair(client, server).handshake())


def test_handshake_tls_1_2(benchmark: Benchmark) -> None:
    """A full handshake with TLS 1.2."""
    client, server = client_options(), server_options()
    server.getContext().set_max_proto_version(SSL.TLS1_2_VERSION)
    benchmark(lambda: Pair(client, server).handshake())


def test_handshake_client_certificate(benchmark: Benchmark) -> None:
    """A full handshake in which the client has to show a certificate as well."""
    client, server = client_options(CERTIFICATE), server_options(trustRoot=AUTHORITY)
    benchmark(lambda: Pair(client, server).handshake())


@implementer(IOpenSSLClientConnectionCreator)
class Resuming:
    """Creates connections that resume a session."""

    session: Any = None

    def __init__(self) -> None:
        self.context = CertificateOptions(trustRoot=AUTHORITY).getContext()
        self.connection: Any = None

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Create a connection."""
        self.connection = connection = SSL.Connection(self.context, None)
        if self.session is not None:
            connection.set_session(self.session)
        return connection


def test_handshake_resumed(benchmark: Benchmark) -> None:
    """A handshake that resumes a session."""
    client = Resuming()
    server = server_options(enableSessions=True, enableSessionTickets=True)
    full = Pair(client, server).handshake()
    client.session = client.connection.get_session()

    resumed = benchmark(lambda: Pair(client, server).handshake())
    # There is no certificate in it.
    assert resumed.sent[1] < full.sent[1] - len(CERTIFICATE.dump())


def test_client_options(benchmark: Benchmark) -> None:
    """The options of a client, and a first connection, as an C{Agent} makes them for each host."""
    server = server_options()
    benchmark(lambda: Pair(client_options(), server))


def test_small_writes(benchmark: Benchmark) -> None:
    """Many small writes, which are combined into few records."""
    _write(benchmark, b"x" * 32, 1000)


def test_small_records(benchmark: Benchmark) -> None:
    """Many small records, which arrive together."""
    _write(benchmark, b"x" * 32, 1000, unbuffered=True)


def test_large_write(benchmark: Benchmark) -> None:
    """One write of a megabyte."""
    _write(benchmark, b"x" * 1_000_000, 1)


def _write(benchmark: Benchmark, data: bytes, times: int, unbuffered: bool = False) -> None:
    """Have the client write C{data} so many times, and the server receive it."""
    pair = Pair(client_options(), server_options(), unbuffered).handshake()

    def go() -> None:
        for _ in range(times):
            pair.client.transport.write(data)  # type: ignore[union-attr]
        pair.pump()

    _transfer(benchmark, pair, go, len(data) * times)


def test_request_and_response(benchmark: Benchmark) -> None:
    """A small request and a small response, a hundred times."""
    pair = Pair(client_options(), server_options()).handshake()

    def go() -> None:
        for _ in range(100):
            pair.client.transport.write(b"x" * 100)  # type: ignore[union-attr]
            pair.pump()
            pair.server.transport.write(b"x" * 100)  # type: ignore[union-attr]
            pair.pump()

    _transfer(benchmark, pair, go, 10_000)
    assert pair.client.received == pair.server.received


def _transfer(benchmark: Benchmark, pair: Pair, go: Callable[[], None], size: int) -> None:
    """Run a benchmark in which the server receives C{size} bytes each time."""
    benchmark(go)
    assert pair.server.received and pair.server.received % size == 0


def test_close(benchmark: Benchmark) -> None:
    """A connection that is closed after a full handshake."""
    client, server = client_options(), server_options()

    def go() -> Pair:
        pair = Pair(client, server).handshake()
        pair.client.transport.loseConnection()  # type: ignore[union-attr]
        pair.pump()
        return pair

    assert all(transport.disconnecting for _, transport in benchmark(go).wires)


class Sockets:
    """The reactor of two sockets that are connected to each other, driven by hand."""

    def __init__(self) -> None:
        self.readers: list[Any] = []
        self.writers: list[Any] = []

    def addReader(self, reader: Any) -> None:  # noqa: N802
        """See L{IReactorFDSet}."""
        if reader not in self.readers:
            self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:  # noqa: N802
        """See L{IReactorFDSet}."""
        if reader in self.readers:
            self.readers.remove(reader)

    def addWriter(self, writer: Any) -> None:  # noqa: N802
        """See L{IReactorFDSet}."""
        if writer not in self.writers:
            self.writers.append(writer)

    def removeWriter(self, writer: Any) -> None:  # noqa: N802
        """See L{IReactorFDSet}."""
        if writer in self.writers:
            self.writers.remove(writer)

    def run(self) -> None:
        """Write and read until there is nothing to write any more."""
        while self.writers:
            for writer in list(self.writers):
                writer.doWrite()
            for reader in list(self.readers):
                reader.doRead()


class Upgrading(Receiver):
    """One end of a connection on which TLS is started after a request and an answer.

    @param options: Those of TLS.
    @param answer: What to say before TLS is started, if this is the server.
    """

    def __init__(self, options: Any, answer: bytes = b"") -> None:
        self.options = options
        self.answer = answer

    def dataReceived(self, data: bytes) -> None:
        """Start TLS."""
        transport: Any = self.transport
        if self.answer:
            transport.write(self.answer)
        # Both transports are those of servers; the client of TLS is the one that is not normal.
        transport.startTLS(self.options, normal=bool(self.answer))


def test_start_tls(benchmark: Benchmark) -> None:
    """A request, an answer, C{startTLS} on both ends of a pair of sockets, and a handshake."""
    client_tls, server_tls = client_options(), server_options()

    def go() -> tuple[Upgrading, ...]:
        reactor = Sockets()
        protocols = Upgrading(client_tls), Upgrading(server_tls, b"220 go ahead\r\n")
        sockets = socket.socketpair()
        for end, protocol in zip(sockets, protocols, strict=False):
            end.setblocking(False)
            arguments: Any = (end, protocol, ("127.0.0.1", 0), None, 0, reactor)
            protocol.makeConnection(Server(*arguments))
        protocols[0].transport.write(b"STARTTLS\r\n")  # type: ignore[union-attr]
        reactor.run()
        for end in sockets:
            end.close()
        return protocols

    for protocol in benchmark(go):
        assert protocol.secure
