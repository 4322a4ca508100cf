from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import ClearClient, RecordingHandlerListener
from tlsdemo.proxy.echo_handler import EchoHandler
from tlsdemo.tls import Delivery


class EchoHandlerTests(SynchronousTestCase):
    delivery: ClassVar = Delivery.RECORD

    def setUp(self) -> None:
        self.log: list[object] = []
        client = ClearClient(
            EchoHandler(RecordingHandlerListener(self.log)), self.delivery, self.log
        )
        self.wire, self.fill = client.wire, client.fill
        self.wire.deliver(b"first")
        self.assertEqual(self.wire.take(), b"first")
        self.log.clear()

    def test_it_is_the_push_producer_of_its_own_connection(self) -> None:
        self.assertIsInstance(self.wire.producer, EchoHandler)
        self.assertTrue(self.wire.streamingProducer)

    def test_it_sends_back_what_it_receives(self) -> None:
        self.wire.deliver(b"question")
        self.assertEqual(self.wire.take(), b"question")

    def test_a_client_that_does_not_read_is_paused_without_loss(self) -> None:
        self.wire.producer.pauseProducing()
        sent = self.fill()
        self.assertEqual(self.wire.take(), b"")
        self.wire.deliver(b"the last")
        self.wire.producer.resumeProducing()
        self.assertFalse(self.wire.paused)
        self.wire.turn()
        self.assertEqual(self.wire.take(), sent + b"the last")

    def test_it_drains_when_the_client_has_gone(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            self.setUp()
            self.wire.lose(reason)
            self.assertEqual(self.log, [f"ended: {close_reason}", "drained: clean"])


class ReadableEchoHandlerTests(EchoHandlerTests):
    delivery = Delivery.READABLE

    def test_it_reads_only_what_it_can_send_back(self) -> None:
        self.wire.producer.pauseProducing()
        self.assertFalse(self.wire.paused)
        self.wire.deliver(b"question")
        self.assertEqual(self.wire.take(), b"")
        self.wire.producer.resumeProducing()
        self.assertEqual(self.wire.take(), b"question")

    def test_it_drains_when_the_client_leaves_without_reading(self) -> None:
        self.wire.producer.pauseProducing()
        self.wire.deliver(b"question")
        # As a connection does to its producer that is lost.
        self.wire.producer.stopProducing()
        self.wire.lose(ConnectionLost())
        self.assertEqual(self.log, ["ended: truncated", "drained: clean"])
