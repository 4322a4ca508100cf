"""Mode ``wrapped``: TLS from the first byte, the factory inside a ``TLSMemoryBIOFactory``."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
)
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.stream import Listener, TransportOptions
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream


def wrap(tls: TLS, factory: IProtocolFactory, clock: IReactorTime) -> IProtocolFactory:
    """Put ``factory`` inside TLS, as an ``ssl:`` endpoint does."""
    return _Factory(_OfTheSession(tls), tls.is_client, factory, clock)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class _OfTheSession:
    """Leaves each connection to the protocol inside, where that has a ``tls`` of its own."""

    def __init__(self, tls: TLS) -> None:
        self._tls = tls

    def serverConnectionForTLS(self, protocol: Any) -> TLSConnection:
        own: TLS = getattr(protocol.wrappedProtocol, "tls", self._tls)
        return own.make(TLSConnection)

    def clientConnectionForTLS(self, protocol: Any) -> TLSConnection:
        return self.serverConnectionForTLS(protocol)


class _Factory(TLSMemoryBIOFactory):
    """Accepts no connection that the factory inside does not want.

    Twisted's would wrap the ``None``, and fail when that is to be connected.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if protocol is None else self.protocol(self, protocol)


def secure(
    transport: Any,
    tls: TLS,
    listener: Listener,
    transport_options: TransportOptions,
    _clock: IReactorTime,
) -> tuple[TLSStream, TLSStream]:
    """Take the TLS layer that is the protocol's transport already."""
    cleartext = TLSStream(listener, transport_options)
    cleartext.attach(transport)
    return cleartext, cleartext
