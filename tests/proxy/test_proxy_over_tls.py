"""A proxy above TLS, on a wire that buffers, paces and closes as Twisted's sockets do."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.proxy.fakes import RecordingHandlerListener, WaitingBackend
from tests.support import RecordingListener
from tests.tls.memory_ends import foreign_client, server_tls
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, UpgradeProtocol


class ProxyOverTLSTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []
        backend = WaitingBackend()
        proxy = ProxyHandler(RecordingHandlerListener(self.log), backend.backend)
        settings = ConnectionSettings(MODES[ModeName.PAIR], server_tls())
        protocol = UpgradeProtocol(settings, RecordingListener(self.log, proxy), Clock())
        self.wire = Wire(protocol)
        self.client = foreign_client()
        protocol.makeConnection(self.wire)
        for _ in range(2):
            self.wire.protocol.dataReceived(self.client.take())
            self.client.receive(self.wire.take())
        self.to_backend = backend.connect()

    def test_a_client_that_does_not_read_pauses_the_backend(self) -> None:
        self.to_backend.deliver(bytes(200_000))
        self.assertTrue(self.to_backend.paused)
        self.client.receive(self.wire.take())
        self.assertFalse(self.to_backend.paused)
        self.assertEqual(self.client.received, bytes(200_000))

    def test_a_client_that_sends_close_notify_before_reading_everything_gets_it_all(self) -> None:
        self.to_backend.deliver(bytes(200_000))
        self.assertTrue(self.to_backend.paused)
        self.client.close()
        self.wire.protocol.dataReceived(self.client.take())
        self.assertTrue(self.to_backend.finished)
        self.client.receive(self.wire.take())
        self.to_backend.deliver(b"end")
        self.to_backend.lose(ConnectionDone())
        self.client.receive(self.wire.take())
        self.assertEqual(self.client.received, bytes(200_000) + b"end")
        self.assertFalse(self.wire.connected)
        self.assertIn("ended: clean", self.log)

    def test_a_backend_that_finishes_sends_its_client_close_notify(self) -> None:
        self.to_backend.deliver(b"answer")
        self.to_backend.finish()
        self.client.receive(self.wire.take())
        self.assertEqual((self.client.received, self.client.closed), (b"answer", True))
        self.client.write(b"more")
        self.wire.protocol.dataReceived(self.client.take())
        self.assertEqual(self.to_backend.take(), b"more")
        self.client.close()
        self.wire.protocol.dataReceived(self.client.take())
        self.wire.take()
        self.to_backend.turn()
        self.assertEqual(self.log[-2:], ["ended: clean", "drained: clean"])
