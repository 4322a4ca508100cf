from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import ClearClient, RecordingHandlerListener
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.tls import Delivery


class SinkHandlerTests(SynchronousTestCase):
    def test_it_reads_everything_and_sends_nothing(self) -> None:
        for delivery in Delivery:
            client = ClearClient(SinkHandler(RecordingHandlerListener([])), delivery, [])
            for _ in range(100):
                client.wire.deliver(b"more")
            self.assertEqual(client.wire.take(), b"")
            self.assertFalse(client.wire.paused)
            self.assertEqual(client.stream.bytes_in, 400)

    def test_it_drains_when_the_client_has_gone(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            log: list[object] = []
            client = ClearClient(SinkHandler(RecordingHandlerListener(log)), Delivery.RECORD, log)
            client.wire.lose(reason)
            self.assertEqual(log, ["plain", f"ended: {close_reason}", "drained: clean"])

    def test_aborting_does_nothing(self) -> None:
        log: list[object] = []
        client = ClearClient(
            sink := SinkHandler(RecordingHandlerListener(log)), Delivery.RECORD, log
        )
        sink.abort()
        self.assertEqual(log, ["plain"])
        self.assertTrue(client.wire.connected)
