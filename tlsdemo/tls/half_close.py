"""Half-closed connections: one end has sent close_notify, and still receives.

Each direction of a TLS connection ends by itself (RFC 8446, section 6.1).  Twisted's TLS layer
closes both as soon as it reads the peer's close_notify, so a client that says goodbye behind its
request never gets the answer.  But the layer learns of a close_notify by what its connection
raises, and that is ours: it hears nothing as long as the application has more to send.  On the
wire a FIN may follow, which ends a protocol unless it provides ``IHalfCloseableProtocol``.  It is
given that only now: a FIN without a close_notify ends the connection, as a truncation.

The other way there is nothing to do.  The layer's ``loseConnection`` sends close_notify, and it
delivers what it receives until the peer has closed, too.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from zope.interface import alsoProvides


def half_closeable(application: IProtocol | None) -> IHalfCloseableProtocol | None:
    """Return ``application`` if it can send after its peer has finished."""
    found: IHalfCloseableProtocol | None = IHalfCloseableProtocol(application, None)
    return found


def survive_end_of_file(receiver: Any) -> None:
    """Have the protocol ``receiver`` live on when a FIN arrives behind the close_notify."""
    receiver.readConnectionLost = receiver.writeConnectionLost = _do_nothing
    alsoProvides(receiver, IHalfCloseableProtocol)


def _do_nothing() -> None:
    """Wait for the application to finish, or for a timeout."""
