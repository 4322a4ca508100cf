"""A proxy's plaintext backend: its settings, and the connection to it."""

from __future__ import annotations

import typing
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IReactorTime,
    ISSLTransport,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.net.prompt_writing import prompt_writer
from tlsdemo.net.reset_after_flush import reset_after_flush
from tlsdemo.net.sockets import MAX_BUFFER, bound_buffers, socket_transport, without_delay
from tlsdemo.proxy.introduction import Introduce, Introduction
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.tls.protocol_switch import replace_protocol


@dataclass(frozen=True)
class Backend:
    """Where the backend is, and its limits.

    Attributes:
        endpoint: Connects to the backend.
        clock: Schedules the timeouts.
        greeting: Seconds from connecting until its greeting, if the dialect has one; 0 for no
            limit.
        closing: Seconds to read what a client that has gone has sent; 0 for no limit.
        max_buffer: Bytes that are buffered at most in each direction, see
            :func:`~tlsdemo.net.sockets.bound_buffers`.
        unavailable: What tells a client that the backend cannot be reached, or does not greet;
            empty to cut it off.
        introduce: Makes what is said to it about each client first; ``None`` for nothing.
        embedded: Whether it is the service's own sink, whose records of connections are found by
            our address towards it.
    """

    endpoint: IStreamClientEndpoint
    clock: IReactorTime
    greeting: float = 0.0
    closing: float = 0.0
    max_buffer: int = MAX_BUFFER
    unavailable: bytes = b""
    introduce: Introduce | None = None
    embedded: bool = False


class BackendListener(typing.Protocol):
    """Called with what happens on the backend's connection."""

    def backend_connected(self) -> None:
        """The connection has been made."""

    def backend_data(self, data: bytes) -> None:
        """The backend has sent ``data``."""

    def backend_failed(self, problem: FilterFailed) -> None:
        """The backend refuses to be told who the client is."""

    def backend_finished(self) -> None:
        """The backend has finished sending, and may still receive."""

    def backend_lost(self, reason: Failure) -> None:
        """The connection is closed or lost."""


@implementer(IHalfCloseableProtocol)
class BackendConnection(Protocol):
    """The plaintext connection to the backend, which is told first who the client is.

    Attributes:
        write: Sends bytes to the backend, once this is connected.
        promptly: Whether that calls the system each time, as is best if the client's data comes in
            few large pieces.  To be set before.
    """

    transport: Any
    promptly = False
    write: Callable[[bytes], object]
    _introduction: Introduction | None = None

    def __init__(self, backend: Backend, listener: BackendListener) -> None:
        self._backend = backend
        self._listener = listener

    def introduce(self, client: ITransport) -> None:
        """Note the ends of the client's connection, before this one is made, if they are wanted."""
        if self._backend.introduce is not None:
            self._introduction = self._backend.introduce(client.getPeer(), client.getHost())

    def connectionMade(self) -> None:
        """Set the socket's options, introduce the client, and report the connection."""
        with suppress(TypeError):
            # What the endpoint has put in between only forwards, for as long as this lasts.
            replace_protocol(self.transport, self)
        without_delay(self.transport)
        bound_buffers(self.transport, self._backend.max_buffer)
        prompt = prompt_writer(self.transport) if self.promptly else None
        self.write = prompt or self.transport.write
        if self._introduction is not None:
            self.write(self._introduction.start())
        self._listener.backend_connected()

    def dataReceived(self, data: bytes) -> None:
        """Report the data, without the answers to the introduction."""
        if self._introduction is not None and not self._introduction.done:
            try:
                said, data = self._introduction.receive(data)
            except FilterFailed as problem:
                self._listener.backend_failed(problem)
                return
            self.write(said)
        if data:
            self._listener.backend_data(data)

    def readConnectionLost(self) -> None:
        """Report that the backend has finished sending."""
        self._listener.backend_finished()

    def writeConnectionLost(self) -> None:
        """Do nothing: this has finished sending, which the listener has asked for."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report the end."""
        self.detach().backend_lost(reason)

    def detach(self) -> BackendListener:
        """Return the listener, and drop the reference to it, which forms a cycle."""
        listener = self._listener
        del self._listener
        return listener

    def finish_sending(self) -> None:
        """Send everything that was written, then a FIN; data is still received."""
        self.transport.unregisterProducer()
        if ISSLTransport.providedBy(self.transport):
            # Twisted would send a FIN without a close_notify.  This sends the close_notify, and
            # goes on receiving until the backend's.
            self.transport.loseConnection()
        else:
            self.transport.loseWriteConnection()

    def finish(self, in_order: bool) -> None:
        """Send everything that was written, then close, ``in_order`` or with a reset."""
        self.transport.unregisterProducer()
        if in_order:
            self.transport.loseConnection()
        else:
            reset_after_flush(self.transport, self._backend.clock)


class BackendFactory(Factory):
    """Has an endpoint make one connection, and ends with it."""

    noisy = False

    def __init__(self, connection: BackendConnection) -> None:
        self._connection = connection

    def buildProtocol(self, _address: IAddress | None) -> BackendConnection:
        """Return the connection."""
        return self._connection

    def stopFactory(self) -> None:
        """Break the cycles of Twisted's connector with its transport and its factory.

        All have ended.  So they are freed now, not by a collection of garbage, which is rare.
        """
        transport = socket_transport(self._connection.transport)
        connector = None if transport is None else vars(transport).pop("connector", None)
        if connector is not None:
            vars(connector).pop("factory", None)
