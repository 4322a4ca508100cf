"""Who hears how securing a connection goes, and provides the application for it."""

from __future__ import annotations

from typing import Protocol as Interface

from twisted.internet.interfaces import IProtocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls.connection_info import ConnectionInfo


class Listener(Interface):
    """Hears how securing one connection goes, and provides the application.

    ``secure`` or ``plain`` is called at most once, and never after ``insecure``.  Both return the
    application, which is then connected to the stream; ``None`` rejects the connection, of which
    not one byte will have been delivered.
    """

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """The peer has been verified, and our last flight has been written to the transport."""

    def plain(self) -> IProtocol | None:
        """The connection is used as it is: mode ``clear``."""

    def insecure(self, close_reason: CloseReason) -> None:
        """The connection could not be secured, or was rejected; nothing more will come."""

    def ended(self, close_reason: CloseReason) -> None:
        """A connection that had been secured (or is plain) has ended."""
