"""A proxy's plain backend: where it is, how long it may take, and the connection to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tlsdemo.net.reset_after_flush import reset_after_flush
from tlsdemo.net.sockets import MAX_BUFFER, bound_buffers, without_delay


@dataclass(frozen=True)
class Backend:
    """Where the backend is, and what it is allowed.

    ``greeting``: seconds from connecting until its greeting, if its dialect has one.  ``closing``:
    seconds to take what it is owed when its client has gone.  0 for as long as it likes.
    ``max_buffer``: bytes that are kept for it at the most, as
    :func:`~tlsdemo.net.sockets.bound_buffers` has it.
    """

    endpoint: IStreamClientEndpoint
    clock: IReactorTime
    greeting: float = 0.0
    closing: float = 0.0
    max_buffer: int = MAX_BUFFER


class Front(Interface):
    """Who is told what the backend does."""

    def joined(self) -> None:
        """The connection has been made."""

    def answered(self, data: bytes) -> None:
        """The backend has said ``data``."""

    def backend_lost(self, reason: Failure) -> None:
        """The connection is gone."""


class BackendConnection(Protocol):
    """The plain connection to the backend."""

    transport: Any

    def __init__(self, backend: Backend, front: Front) -> None:
        self._backend = backend
        self._front = front

    def connectionMade(self) -> None:
        """Set the socket up, and tell."""
        without_delay(self.transport)
        bound_buffers(self.transport, self._backend.max_buffer)
        self._front.joined()

    def dataReceived(self, data: bytes) -> None:
        """Tell."""
        self._front.answered(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell."""
        self.detach().backend_lost(reason)

    def detach(self) -> Front:
        """Return who is told, who holds this, and hold on to them no more."""
        front = self._front
        del self._front
        return front

    def finish(self, in_order: bool) -> None:
        """Have the backend take all that was written, then end; not ``in_order``, with a reset."""
        self.transport.unregisterProducer()
        if in_order:
            self.transport.loseConnection()
        else:
            reset_after_flush(self.transport, self._backend.clock)
