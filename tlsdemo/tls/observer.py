"""Watching one connection: the interface that the library reports to, for logs, traces and metrics.

Nothing is observed unless an observer is handed in, and what is not observed costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Interface

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

if TYPE_CHECKING:
    from tlsdemo.tls.contexts import TLS
    from tlsdemo.tls.tls_connection import TLSConnection


class Observer(Interface):
    """Sees what happens on one connection, as it happens.

    ``detailed``: whether :meth:`detail`, :meth:`wire` and :meth:`tls_created` are wanted.  They
    are not called otherwise, which is cheaper: OpenSSL need not report its states.
    """

    detailed: bool

    def event(self, name: str, **facts: object) -> None:
        """A step that every connection takes: ``connected``, ``handshakeCompleted``, ``secure``.

        ``secure`` comes with ``info`` (:class:`~tlsdemo.tls.ConnectionInfo`), ``insecure`` and
        ``closed`` with ``reason`` (:class:`~tlsdemo.close_reasons.CloseReason`).
        """

    def detail(self, name: str, **facts: object) -> None:
        """Everything between those steps: OpenSSL's states, alerts, verification, first bytes."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Bytes on the wire, in plaintext or of TLS; each byte once."""

    def tls_created(self, connection: TLSConnection) -> None:
        """OpenSSL's connection has been created, before its handshake begins."""


def failure_facts(reason: Failure) -> dict[str, str]:
    """Return the type and the message of what a ``connectionLost`` was given."""
    return {"reason": type(reason.value).__name__, "text": reason.getErrorMessage()}


@implementer(IOpenSSLServerConnectionCreator, IOpenSSLClientConnectionCreator)
class ObservedTLS:
    """A connection creator that makes one connection as ``tls`` does, watched by ``observer``."""

    def __init__(self, tls: TLS, observer: Observer | None) -> None:
        self._tls = tls
        self._observer = observer

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the connection for one TLS layer of a server."""
        return self._make()

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Make the connection for one TLS layer of a client."""
        return self._make()

    def _make(self) -> SSL.Connection:
        # The TLS layer keeps this, and the connection that layer: an observer that keeps the
        # connection would be part of a cycle.
        observer, self._observer = self._observer, None
        return self._tls.make(observer)
