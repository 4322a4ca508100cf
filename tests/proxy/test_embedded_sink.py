from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import ClearClient, RecordingHandlerListener
from tlsdemo.net.probe_line import PROBE_LINE
from tlsdemo.proxy.embedded_sink import EmbeddedSink
from tlsdemo.tls import Delivery


class EmbeddedSinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []
        handler = EmbeddedSink(RecordingHandlerListener(self.log))
        self.client = ClearClient(handler, Delivery.RECORD, self.log)

    def test_it_sends_nothing_back(self) -> None:
        for data in (b"first", PROBE_LINE, b"more"):
            self.client.wire.deliver(data)
        self.assertEqual(self.client.wire.take(), b"")
        self.assertEqual(self.client.stream.bytes_in, 9 + len(PROBE_LINE))

    def test_it_sends_back_what_a_probe_sends(self) -> None:
        for data in (PROBE_LINE, PROBE_LINE * 2, PROBE_LINE[:5], PROBE_LINE[5:]):
            self.client.wire.deliver(data)
        self.assertEqual(self.client.wire.take(), PROBE_LINE * 4)

    def test_it_reads_a_probe_no_faster_than_that_reads(self) -> None:
        self.client.wire.deliver(PROBE_LINE)
        self.client.wire.take()
        self.client.wire.producer.pauseProducing()
        self.assertTrue(self.client.wire.paused)
        self.client.wire.producer.resumeProducing()
        self.assertFalse(self.client.wire.paused)

    def test_it_drains_when_the_client_has_gone(self) -> None:
        self.client.wire.deliver(b"data")
        self.client.wire.lose(ConnectionDone())
        self.assertEqual(self.log, ["plain", "ended: clean", "drained: clean"])
