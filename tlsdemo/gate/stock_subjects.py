"""What Twisted's own ways to TLS are pinned as: servers and clients of its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    PrivateCertificate,
    TLSVersion,
    optionsForClientTLS,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from tlsdemo.certificates.files import Credentials
from tlsdemo.testing import temporary_certificates
from tlsdemo.testing.pins import Subject, through_endpoint
from tlsdemo.trace.model import End

_HTTP = (b"h2", b"http/1.1")
_FAREWELL = b"goodbye\r\n"


@implementer(IHandshakeListener)
class _Application(Protocol):
    transport: Any

    def handshakeCompleted(self) -> None:
        """Be told of it."""


class _Server(_Application):
    def dataReceived(self, data: bytes) -> None:
        if data == _FAREWELL:
            self.transport.loseConnection()
        else:
            self.transport.write(data.upper())


class _Client(_Application):
    def connectionMade(self) -> None:
        self.transport.write(b"question\r\n")

    def dataReceived(self, data: bytes) -> None:
        self.transport.loseConnection()


class _UpgradingServer(_Server):
    def __init__(self, options: Any) -> None:
        self._options = options

    def dataReceived(self, data: bytes) -> None:
        if data == b"STARTTLS\r\n":
            self.transport.write(b"OK\r\n")
            self.transport.startTLS(self._options)
        else:
            super().dataReceived(data)


class _UpgradingClient(_Client):
    def __init__(self, options: Any) -> None:
        self._options = options

    def connectionMade(self) -> None:
        self.transport.write(b"STARTTLS\r\n")

    def dataReceived(self, data: bytes) -> None:
        if data == b"OK\r\n":
            self.transport.startTLS(self._options)
            self.transport.write(b"question\r\n")
        else:
            super().dataReceived(data)


def _private(files: Credentials) -> Any:
    assert files.certificate is not None and files.key is not None
    return PrivateCertificate.loadPEM(files.certificate.read_bytes() + files.key.read_bytes())


def _authority() -> Certificate:
    return Certificate.loadPEM(temporary_certificates().authority.read_bytes())


def _server_options(**more: Any) -> CertificateOptions:
    own = _private(temporary_certificates().server)
    return CertificateOptions(privateKey=own.privateKey.original, certificate=own.original, **more)


def _client_options(**more: Any) -> Any:
    return optionsForClientTLS("localhost", trustRoot=_authority(), **more)


def _factory(make: Callable[[], Protocol]) -> Any:
    factory = Factory.forProtocol(make)
    factory.noisy = False
    return factory


def _wrapped_server(**more: Any) -> Callable[[], Any]:
    return lambda: TLSMemoryBIOFactory(_server_options(**more), False, _factory(_Server))


def _wrapped_client(options: Callable[[], Any] = _client_options) -> Callable[[], Any]:
    return through_endpoint(
        lambda endpoint: wrapClientTLS(options(), endpoint), lambda: _factory(_Client)
    )


def _with_certificate() -> Any:
    own = _private(temporary_certificates().client)
    return _client_options(clientCertificate=own)


def _server(make: Callable[[], Any], **more: Any) -> dict[str, Any]:
    return {"factory": make, "farewell": _FAREWELL, **more}


def _client(make: Callable[[], Any], **more: Any) -> dict[str, Any]:
    return {"factory": make, "end": End.CLIENT, **more}


_ALPN = tuple(name.decode() for name in _HTTP)

_SUBJECTS: Mapping[str, dict[str, Any]] = {
    "server with startTLS": _server(
        lambda: _factory(lambda: _UpgradingServer(_server_options())), dialect="line"
    ),
    "server wrapped in TLS": _server(_wrapped_server()),
    "server with ALPN": _server(_wrapped_server(acceptableProtocols=list(_HTTP)), alpn=_ALPN),
    "server that demands a certificate": _server(
        lambda: TLSMemoryBIOFactory(
            _server_options(trustRoot=_authority()), False, _factory(_Server)
        )
    ),
    "server of at most TLS 1.2": _server(
        _wrapped_server(
            insecurelyLowerMinimumTo=TLSVersion.TLSv1_2, lowerMaximumSecurityTo=TLSVersion.TLSv1_2
        )
    ),
    "server of at most TLS 1.3": _server(
        _wrapped_server(lowerMaximumSecurityTo=TLSVersion.TLSv1_3)
    ),
    "client with startTLS": _client(
        lambda: _factory(lambda: _UpgradingClient(_client_options())), dialect="line"
    ),
    "client of wrapClientTLS": _client(_wrapped_client()),
    "client with ALPN": _client(
        _wrapped_client(lambda: _client_options(acceptableProtocols=list(_HTTP))), alpn=_ALPN
    ),
    "client with a certificate": _client(_wrapped_client(_with_certificate)),
}

SUBJECTS = tuple(_SUBJECTS)
"""The names of the subjects."""


def stock_subject(name: str, tls: str) -> Subject:
    """Return the subject of that name, whose peer speaks that version of TLS."""
    return Subject(tls=tls, **_SUBJECTS[name])
