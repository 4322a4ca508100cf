"""Two ends of one connection, with nothing but memory between them."""

from __future__ import annotations

import typing
from dataclasses import dataclass

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock

from tlsdemo.testing.starttls_transport import StartTLSTransport


class WireEnd(typing.Protocol):
    """One end of a wire in memory: a ``MemoryTransport`` or an ``SSLPeer``."""

    connected: bool

    def take(self) -> bytes:
        """Return what is to be sent."""

    def deliver(self, data: bytes) -> None:
        """Receive ``data``."""

    def turn(self) -> None:
        """Do what one iteration of the reactor would, and close if that was requested."""

    def lose(self, reason: Exception) -> None:
        """Be disconnected."""


def pump(one: WireEnd, other: WireEnd) -> None:
    """Carry bytes between two ends, and the end of the connection, until nothing moves.

    Two protocols that answer each other without end keep this running without end.
    """
    moving = True
    while moving:
        moving = False
        for source, target in ((one, other), (other, one)):
            if data := source.take():
                moving = True
                target.deliver(data)
            source.turn()
            if target.connected and not source.connected:
                moving = True
                target.lose(ConnectionDone())


@dataclass(frozen=True)
class MemoryConnection:
    """A server and a client that are connected to each other.

    Attributes:
        server: The server's transport.
        client: The client's transport.
        clock: The time of both.
    """

    server: StartTLSTransport
    client: StartTLSTransport
    clock: Clock

    def pump(self) -> None:
        """Carry bytes between both, until neither has any for the other."""
        pump(self.server, self.client)

    def advance(self, seconds: float) -> None:
        """Let time pass, and then carry what was sent meanwhile."""
        self.clock.advance(seconds)
        self.pump()


def connect_in_memory(
    server: IProtocol, client: IProtocol, clock: Clock | None = None
) -> MemoryConnection:
    """Connect two protocols, and carry what they say when they are connected.

    Args:
        server: The protocol that accepts the connection.  It is connected first.
        client: The protocol that opens it.
        clock: The time of both transports; by default a new one.
    """
    clock = clock or Clock()
    connection = MemoryConnection(
        StartTLSTransport(server, clock=clock),
        StartTLSTransport(client, is_client=True, clock=clock),
        clock,
    )
    connection.server.connect()
    connection.client.connect()
    connection.pump()
    return connection
