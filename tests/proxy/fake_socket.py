"""A socket of Twisted's but for the socket: it buffers, paces and closes as they do."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.support import start_tls


class Wire(FileDescriptor):
    """What its peer has sent waits in ``arrived``, and is read as a socket is, in :meth:`read`.

    It takes what is sent only in :meth:`take`, or always, if ``takes`` is set.
    """

    TLS = False
    _tlsClientDefault = False  # noqa: N815
    _aborting = False
    takes = False

    def __init__(self, protocol: Any) -> None:
        self._reactor: Any = MemoryReactorClock()
        super().__init__(self._reactor)
        self.connected = True
        self.aborted = False
        self.protocol = protocol
        self.arrived = bytearray()
        self.was_read = 0
        self._sent: list[bytes] = []
        self.startReading()

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:  # noqa: N803
        start_tls(self, contextFactory, FileDescriptor)

    def writeSomeData(self, data: bytes) -> int:  # noqa: N802
        if not self.takes:
            return 0
        self._sent.append(bytes(data))
        return len(data)

    @property
    def has_queued(self) -> bool:
        """Whether something waits until the reactor comes round to sending it."""
        return self in self._reactor.writers

    def take(self) -> bytes:
        """Have the wire take all that there is for it."""
        before, self.takes = self.takes, True
        while self.connected and self in self._reactor.writers:
            reason: Any = self.doWrite()
            if reason is not None:
                self.connectionLost(Failure(reason))
        self.takes = before
        return self.taken()

    def taken(self) -> bytes:
        """Return what it has taken."""
        sent, self._sent = b"".join(self._sent), []
        return sent

    def read(self) -> bool:
        """Read once, unless it is paused; return whether there was something to read."""
        if not self.arrived or self not in self._reactor.readers:
            return False
        data = bytes(self.arrived[: self.bufferSize])
        del self.arrived[: self.bufferSize]
        self.was_read += len(data)
        self.protocol.dataReceived(data)
        return True

    def abortConnection(self) -> None:
        self.aborted = True
        self.connectionLost(Failure(ConnectionAborted()))

    def lose(self) -> None:
        self.connectionLost(Failure(ConnectionLost()))

    def connectionLost(self, reason: Failure) -> None:
        if self.connected:
            super().connectionLost(reason)
            self.protocol.connectionLost(reason)

    def getPeer(self) -> Any:
        return IPv4Address("TCP", "192.0.2.1", 1)

    getHost = getPeer
