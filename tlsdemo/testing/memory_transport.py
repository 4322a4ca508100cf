"""A transport in memory, which closes and pauses as a TCP connection does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ITCPTransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(ITCPTransport, IConsumer, IPushProducer)
class MemoryTransport:
    """The transport of one protocol, without a socket.

    The test plays the network: :meth:`deliver` hands bytes to the protocol, :meth:`take` returns
    what the protocol has written, and :meth:`lose` ends the connection.  While the transport is
    paused, what is delivered waits; it is handed over by the next :meth:`turn` after
    ``resumeProducing``.

    Attributes:
        protocol: Receives what is delivered.
        connected: Whether the connection has not ended yet.
        disconnecting: Whether ``loseConnection`` or ``abortConnection`` has been called.
        aborted: Whether ``abortConnection`` has been called.
        paused: Whether reading is paused.
        producer: The registered producer, or None.
        streamingProducer: Whether that is a push producer.
        no_delay: What was last passed to ``setTcpNoDelay``.
        keep_alive: What was last passed to ``setTcpKeepAlive``.
        finished: Whether ``loseWriteConnection`` has been called.
    """

    def __init__(self, protocol: Any = None) -> None:
        self.protocol = protocol
        self.disconnecting = False
        self.aborted = False
        self.connected = True
        self.paused = False
        self.producer: Any = None
        self.streamingProducer = False
        self.no_delay = False
        self.keep_alive = False
        self.finished = False
        self._fin_sent = False
        self._written: list[bytes] = []
        self._arrived: list[bytes] = []

    # What a test calls.

    def connect(self) -> None:
        """Connect the protocol to this transport."""
        self.protocol.makeConnection(self)

    def deliver(self, data: bytes) -> None:
        """Receive ``data`` from the network, in one piece."""
        self._arrived.append(data)
        self.turn()

    def turn(self) -> None:
        """Do what one iteration of the reactor would: read, and close if that was requested.

        ``loseConnection`` and ``loseWriteConnection`` take effect when all that was written has
        been taken.
        """
        while self._arrived and not self.paused and self.connected and not self.aborted:
            self.protocol.dataReceived(self._arrived.pop(0))
        if self.aborted:
            self.lose(ConnectionAborted())
        elif self.disconnecting and not self._written:
            self.lose(ConnectionDone())
        elif self.finished and not (self._written or self.producer or self._fin_sent):
            self._fin_sent = True
            half_closeable = IHalfCloseableProtocol(self.protocol, None)
            if half_closeable is not None:
                half_closeable.writeConnectionLost()

    def finish(self) -> None:
        """Receive a FIN: the peer has finished sending, and may still receive.

        A protocol that does not provide ``IHalfCloseableProtocol`` loses its connection.
        """
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is None:
            self.lose(ConnectionDone())
        else:
            half_closeable.readConnectionLost()

    def lose(self, reason: Exception) -> None:
        """End the connection for ``reason``, unless it has ended already."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(reason))

    def take(self) -> bytes:
        """Return what has been written since the last call."""
        written, self._written = b"".join(self._written), []
        return written

    # What a protocol calls.

    def write(self, data: bytes) -> None:
        """See `ITransport`."""
        finished = self.finished and self.producer is None
        if self.connected and not self.aborted and not finished:
            self._written.append(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """See `ITransport`."""
        # Not self.write, which a subclass that encrypts overrides.
        MemoryTransport.write(self, b"".join(data))

    def loseConnection(self) -> None:
        """See `ITransport`; a transport that has sent its FIN is lost at once, as over TCP."""
        self.disconnecting = True
        if self._fin_sent:
            self.lose(ConnectionDone())

    def abortConnection(self) -> None:
        """See `ITCPTransport`; ``connectionLost`` follows with the next :meth:`turn`."""
        self.disconnecting = self.aborted = True
        self._written = []

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        self.paused = True

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        self.paused = False

    def stopProducing(self) -> None:
        """See `IPushProducer`."""
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See `IConsumer`; the test resumes and pauses the ``producer``."""
        assert self.producer is None
        self.producer, self.streamingProducer = producer, streaming

    def unregisterProducer(self) -> None:
        """See `IConsumer`."""
        self.producer = None

    def loseWriteConnection(self) -> None:
        """See `ITCPTransport`."""
        self.finished = True

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See `ITCPTransport`."""
        self.no_delay = enabled

    def getTcpNoDelay(self) -> bool:
        """See `ITCPTransport`."""
        return self.no_delay

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See `ITCPTransport`."""
        self.keep_alive = enabled

    def getTcpKeepAlive(self) -> bool:
        """See `ITCPTransport`."""
        return self.keep_alive

    def getPeer(self) -> IPv4Address:
        """Return an address that is reserved for documentation (RFC 5737)."""
        return IPv4Address("TCP", "192.0.2.1", 1)

    def getHost(self) -> IPv4Address:
        """Return another such address."""
        return IPv4Address("TCP", "192.0.2.2", 2)
