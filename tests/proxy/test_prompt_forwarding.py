"""A proxy sends what a read has brought at once, both ways, unless it delivers record by record."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.proxy.fakes import RecordingHandlerListener, WaitingBackend
from tests.proxy.test_buffers import Client
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.tls import Delivery, ModeName

PROMPT_BOTH_WAYS = (ModeName.PAIR, ModeName.STARTTLS, ModeName.CLEAR)
"""Below mode ``wrapped`` is a transport that is not ours to change."""


class PromptForwardingTests(SynchronousTestCase):
    def connected(self, mode: ModeName, delivery: Delivery) -> tuple[Client, Wire]:
        backend = WaitingBackend()
        proxy = ProxyHandler(RecordingHandlerListener([]), backend.backend)
        client = Client(self, proxy, mode, delivery, 1 << 17)
        to_backend: Wire = backend.connect(Wire)
        client.wire.takes = to_backend.takes = True
        client.take()
        return client, to_backend

    def test_data_of_the_client_is_sent_in_the_turn_in_which_it_was_read(self) -> None:
        for mode in ModeName:
            for delivery in Delivery:
                client, to_backend = self.connected(mode, delivery)
                client.send(b"data")
                client.wire.read()
                at_once = mode is ModeName.CLEAR or delivery is not Delivery.RECORD
                self.assertEqual(to_backend.taken(), b"data" if at_once else b"", (mode, delivery))
                self.assertEqual(to_backend.take(), b"" if at_once else b"data")

    def test_data_of_the_backend_is_sent_in_the_turn_in_which_it_was_read(self) -> None:
        for mode in PROMPT_BOTH_WAYS:
            client, to_backend = self.connected(mode, Delivery.COALESCED)
            to_backend.arrived += b"answer"
            to_backend.read()
            client.turn()
            self.assertFalse(client.wire.has_queued, mode)
            self.assertEqual(client.take(), b"answer", mode)

    def test_records_are_forwarded_as_stock_twisted_does_it(self) -> None:
        client, to_backend = self.connected(ModeName.PAIR, Delivery.RECORD)
        to_backend.arrived += b"answer"
        to_backend.read()
        self.assertEqual(client.wire.taken(), b"")
        self.assertTrue(client.wire.has_queued)
