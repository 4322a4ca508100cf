"""A connection creator whose connections are observed."""

from __future__ import annotations

from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from tlsdemo.tls.contexts import TLS
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.tls_connection import TLSConnection


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class ObservedTLS:
    """A connection creator that makes one connection as ``tls`` does, watched by ``observer``."""

    def __init__(self, tls: TLS, observer: Observer | None) -> None:
        self._tls = tls
        self._observer = observer

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer of a server."""
        return self._make()

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> TLSConnection:
        """Make the connection for one TLS layer of a client."""
        return self._make()

    def _make(self) -> TLSConnection:
        # The TLS layer keeps this, and the connection that layer: an observer that keeps the
        # connection would be part of a cycle.
        observer, self._observer = self._observer, None
        return self._tls.make(observer)
