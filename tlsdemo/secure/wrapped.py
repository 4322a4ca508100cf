"""Mode ``wrapped``: TLS from the first byte, the factory inside a ``TLSMemoryBIOFactory``."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IProtocolFactory, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory

from tlsdemo.secure.cleartext import Cleartext
from tlsdemo.secure.contexts import ClientTLS, ServerTLS
from tlsdemo.secure.stream import Listener, Manner


def wrap(
    tls: ServerTLS | ClientTLS, factory: IProtocolFactory, clock: IReactorTime
) -> IProtocolFactory:
    """Put ``factory`` inside TLS, as an ``ssl:`` endpoint does."""
    return _Factory(tls, tls.is_client, factory, clock)


class _Factory(TLSMemoryBIOFactory):
    """Accepts no connection that the factory inside does not want.

    Twisted's would wrap the ``None``, and fail when that is to be connected.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:
        protocol = self.wrappedFactory.buildProtocol(addr)
        return None if protocol is None else self.protocol(self, protocol)


def secure(
    transport: Any,
    tls: ServerTLS | ClientTLS,
    listener: Listener,
    manner: Manner,
    _clock: IReactorTime,
) -> tuple[Cleartext, Cleartext]:
    """Take the TLS layer that is the protocol's transport already."""
    cleartext = Cleartext(listener, manner)
    cleartext.attach(transport)
    return cleartext, cleartext
