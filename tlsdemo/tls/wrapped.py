"""Mode ``wrapped``: TLS from the first byte, by a ``TLSMemoryBIOFactory`` around the factory."""

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
    """Wrap ``factory`` in TLS, as an ``ssl:`` endpoint does."""
    return _Factory(_ObservedByProtocol(tls), tls.is_client, factory, clock)


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class _ObservedByProtocol:
    """Makes each connection with the observer of the wrapped protocol, if there is one."""

    def __init__(self, tls: TLS) -> None:
        self._tls = tls

    def serverConnectionForTLS(self, protocol: Any) -> TLSConnection:
        return self._tls.make(getattr(protocol.wrappedProtocol, "observer", None))

    def clientConnectionForTLS(self, protocol: Any) -> TLSConnection:
        return self.serverConnectionForTLS(protocol)


class _Factory(TLSMemoryBIOFactory):
    """Refuses a connection if the wrapped factory returns no protocol.

    Twisted's factory would wrap the ``None``, and fail when that is connected.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if protocol is None else self.protocol(self, protocol)


def secure(
    transport: Any, tls: TLS, setup: StreamSetup, clock: IReactorTime
) -> tuple[TLSMemoryBIOProtocol, TLSStream]:
    """Attach the stream to the TLS layer, which already is the protocol's transport."""
    stream = TLSStream(setup, clock)
    replace_protocol(transport, stream)
    stream.attach(transport)
    return transport, stream
