"""A proxy above TLS, on a wire that buffers, paces and closes as Twisted's sockets do."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.secure.ends import foreign_client, server_tls
from tests.server.support import RecordingOwner, WaitingBackend
from tests.support import RecordingListener, timeline_of
from tlsdemo.secure import MODES, ModeName
from tlsdemo.server.proxy import Proxy
from tlsdemo.session.session import Session


class Wire(FileDescriptor):
    """A socket of Twisted's but for the socket."""

    def __init__(self, protocol: Session) -> None:
        self._reactor: Any = MemoryReactorClock()
        super().__init__(self._reactor)
        self.connected = True
        self.protocol = protocol
        self._sent: list[bytes] = []

    def writeSomeData(self, data: bytes) -> int:  # noqa: N802
        self._sent.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Have the wire take all that there is for it."""
        while self.connected and self in self._reactor.writers:
            reason: Any = self.doWrite()
            if reason is not None:
                self.connectionLost(Failure(reason))
        sent, self._sent = b"".join(self._sent), []
        return sent

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self.protocol.connectionLost(reason)

    def getPeer(self) -> Any:
        return IPv4Address("TCP", "192.0.2.1", 1)

    getHost = getPeer


class AProxyOverTLS(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []
        backend = WaitingBackend()
        proxy = Proxy(RecordingOwner(self.log), backend.endpoint)
        mode = MODES[ModeName.PAIR]
        clock = Clock()
        session = Session(
            mode,
            server_tls(),
            RecordingListener(self.log, proxy),
            mode.manner(None, None, 1 << 16),
            timeline_of(clock),
            clock,
        )
        self.wire = Wire(session)
        self.client = foreign_client()
        session.makeConnection(self.wire)
        for _ in range(2):
            session.dataReceived(self.client.take())
            self.client.receive(self.wire.take())
        self.far = backend.connect()
        self.session = session

    def test_a_client_that_does_not_read_makes_the_backend_wait(self) -> None:
        self.far.deliver(bytes(200_000))
        self.assertTrue(self.far.paused)
        self.client.receive(self.wire.take())
        self.assertFalse(self.far.paused)
        self.assertEqual(self.client.received, bytes(200_000))

    def test_a_client_that_says_goodbye_before_it_has_read_all_is_let_go(self) -> None:
        self.far.deliver(bytes(200_000))
        self.assertTrue(self.far.paused)
        self.client.close()
        self.session.dataReceived(self.client.take())
        self.client.receive(self.wire.take())
        self.assertEqual(self.client.received, bytes(200_000))
        self.assertFalse(self.wire.connected)
        self.assertTrue(self.far.disconnecting)
