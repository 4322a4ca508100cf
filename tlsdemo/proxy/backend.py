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
    seconds to take what its client has left behind.  0 for no limit.
    ``max_buffer``: bytes that are kept for it at the most, as
    :func:`~tlsdemo.net.sockets.bound_buffers` has it.
    """

    endpoint: IStreamClientEndpoint
    clock: IReactorTime
    greeting: float = 0.0
    closing: float = 0.0
    max_buffer: int = MAX_BUFFER


class BackendListener(Interface):
    """Hears what the backend's connection does."""

    def backend_connected(self) -> None:
        """The connection has been made."""

    def backend_data(self, data: bytes) -> None:
        """The backend has sent ``data``."""

    def backend_lost(self, reason: Failure) -> None:
        """The connection is gone."""


class BackendConnection(Protocol):
    """The plain connection to the backend."""

    transport: Any

    def __init__(self, backend: Backend, listener: BackendListener) -> None:
        self._backend = backend
        self._listener = listener

    def connectionMade(self) -> None:
        """Set the socket up, and report."""
        without_delay(self.transport)
        bound_buffers(self.transport, self._backend.max_buffer)
        self._listener.backend_connected()

    def dataReceived(self, data: bytes) -> None:
        """Report the data."""
        self._listener.backend_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report the end."""
        self.detach().backend_lost(reason)

    def detach(self) -> BackendListener:
        """Return the listener, which refers to this, and no longer refer to it."""
        listener = self._listener
        del self._listener
        return listener

    def finish(self, in_order: bool) -> None:
        """Have the backend take all that was written, then end; not ``in_order``, with a reset."""
        self.transport.unregisterProducer()
        if in_order:
            self.transport.loseConnection()
        else:
            reset_after_flush(self.transport, self._backend.clock)
