from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import Near, RecordingHandlerListener
from tlsdemo.proxy.sink_handler import SinkHandler
from tlsdemo.tls import Delivery


class ASink(SynchronousTestCase):
    def test_takes_everything_and_answers_nothing(self) -> None:
        for delivery in Delivery:
            near = Near(SinkHandler(RecordingHandlerListener([])), delivery, [])
            for _ in range(100):
                near.wire.deliver(b"more")
            self.assertEqual(near.wire.take(), b"")
            self.assertFalse(near.wire.paused)
            self.assertEqual(near.stream.bytes_in, 400)

    def test_is_done_when_the_client_is_gone(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            log: list[object] = []
            near = Near(SinkHandler(RecordingHandlerListener(log)), Delivery.RECORD, log)
            near.wire.lose(reason)
            self.assertEqual(log, ["plain", f"ended: {close_reason}", "drained: clean"])

    def test_has_nothing_to_give_up(self) -> None:
        log: list[object] = []
        near = Near(sink := SinkHandler(RecordingHandlerListener(log)), Delivery.RECORD, log)
        sink.abort()
        self.assertEqual(log, ["plain"])
        self.assertTrue(near.wire.connected)
