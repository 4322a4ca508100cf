"""The interface through which a connection gets its application and reports its end."""

from __future__ import annotations

import typing

from twisted.internet.interfaces import IProtocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls.connection_info import ConnectionInfo


class Listener(typing.Protocol):
    """Provides the application of one connection, and learns how the connection ended.

    A ``typing.Protocol``: a class that has these methods needs to declare nothing.

    ``secure`` or ``plain`` is called at most once, and returns the application, which is then
    connected to the stream.  ``None`` rejects the connection: nothing is delivered, and
    ``insecure`` is called.  In the end ``insecure`` or ``ended`` is called, exactly once.
    """

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """The connection is secure: the peer is verified, and our last flight is written."""

    def plain(self) -> IProtocol | None:
        """The connection is used without TLS (mode ``clear``)."""

    def insecure(self, close_reason: CloseReason) -> None:
        """The connection has ended without being secured, or was rejected."""

    def ended(self, close_reason: CloseReason) -> None:
        """A connection that had an application has ended."""
