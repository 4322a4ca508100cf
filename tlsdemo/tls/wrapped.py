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
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.protocol_switch import replace_protocol
from tlsdemo.tls.stream import StreamSetup
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream


def wrap(tls: TLS, factory: IProtocolFactory, clock: IReactorTime) -> IProtocolFactory:
    """Put ``factory`` inside TLS, as an ``ssl:`` endpoint does."""
    return _Factory(_ObservedByProtocol(tls), tls.is_client, factory, clock)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class _ObservedByProtocol:
    """Reports each connection to the observer that the protocol inside has, if it has one."""

    def __init__(self, tls: TLS) -> None:
        self._tls = tls

    def serverConnectionForTLS(self, protocol: Any) -> TLSConnection:
        return self._tls.make(getattr(protocol.wrappedProtocol, "observer", None))

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
    transport: Any, tls: TLS, setup: StreamSetup, _clock: IReactorTime
) -> tuple[TLSMemoryBIOProtocol, TLSStream]:
    """Join the stream to the TLS layer that is the protocol's transport already."""
    stream = TLSStream(setup)
    replace_protocol(transport, stream)
    stream.attach(transport)
    return transport, stream
