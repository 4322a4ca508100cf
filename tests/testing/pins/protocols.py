"""Protocols to pin, as a user would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate as TrustedCertificate
from twisted.internet.ssl import PrivateCertificate, optionsForClientTLS
from twisted.protocols.basic import LineReceiver
from twisted.protocols.policies import TimeoutMixin
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.testing import temporary_certificates


def server_options() -> Any:
    files = temporary_certificates().server
    assert files.certificate is not None and files.key is not None
    pem = files.certificate.read_bytes() + files.key.read_bytes()
    return PrivateCertificate.loadPEM(pem).options()


def client_options(**more: Any) -> Any:
    authority = TrustedCertificate.loadPEM(temporary_certificates().authority.read_bytes())
    return optionsForClientTLS("localhost", trustRoot=authority, **more)


class Shouting(Protocol):
    """Answers in capitals, or a thousand times."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        if data == b"raise":
            raise ValueError("as asked")
        if data == b"quit":
            self.transport.loseConnection()
        elif data == b"abort":
            self.transport.abortConnection()
        else:
            self.transport.write(data.upper() * (20_000 if data == b"much" else 1))


@implementer(IHandshakeListener)
class Listening(Shouting):
    """Is told of its handshake."""

    def handshakeCompleted(self) -> None:
        pass


class Line(TimeoutMixin, LineReceiver):
    """The dialect ``line``, with the hole of many: it goes on with the lines it has."""

    def connectionMade(self) -> None:
        self.setTimeout(30)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.setTimeout(None)

    def lineReceived(self, line: bytes) -> None:
        transport: Any = self.transport
        if line == b"STARTTLS":
            self.sendLine(b"OK")
            transport.startTLS(server_options())
        else:
            self.sendLine(b"echo " + line)


class LineClient(Protocol):
    """Asks for TLS, then a question."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"STARTTLS\r\n")

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        if data.startswith(b"OK"):
            transport.startTLS(client_options())
            transport.write(b"question")
        else:
            transport.loseConnection()


def factory_of(protocol: Callable[[], Protocol]) -> Any:
    made = Factory.forProtocol(protocol)
    made.noisy = False
    return made


def wrapped(protocol: Callable[[], Protocol] = Shouting) -> TLSMemoryBIOFactory:
    return TLSMemoryBIOFactory(server_options(), False, factory_of(protocol))


def wrapped_client(protocol: Callable[[], Protocol], **more: Any) -> TLSMemoryBIOFactory:
    return TLSMemoryBIOFactory(client_options(**more), True, factory_of(protocol))
