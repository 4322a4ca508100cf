"""Mode ``wrapped``: TLS from the first byte, the factory inside a ``TLSMemoryBIOFactory``."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOFactory

from tlsdemo.secure.cleartext import Cleartext
from tlsdemo.secure.contexts import ClientTLS, ServerTLS
from tlsdemo.secure.stream import Listener, Manner


def wrap(
    tls: ServerTLS | ClientTLS, factory: IProtocolFactory, clock: IReactorTime
) -> IProtocolFactory:
    """Put ``factory`` inside TLS, as an ``ssl:`` endpoint does."""
    return TLSMemoryBIOFactory(tls, tls.is_client, factory, clock)


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
