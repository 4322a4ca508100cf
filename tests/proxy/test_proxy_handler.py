from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.proxy import finishing_contract, proxy_contract
from tests.support import MemoryTransport
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls import Delivery


class RecordConnectingTests(proxy_contract.ConnectingContract):
    delivery = Delivery.RECORD

    def test_aborting_cancels_connecting_for_a_client_that_has_closed(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.assertFalse(self.backend.given_up)
        self.proxy.abort()
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: clean", "drained: aborted by us"])

    def test_a_backend_that_is_slow_from_the_beginning_keeps_the_client_paused(self) -> None:
        write = MemoryTransport.write

        def write_and_be_full(transport: MemoryTransport, data: bytes) -> None:
            write(transport, data)
            transport.producer.pauseProducing()

        self.patch(MemoryTransport, "write", write_and_be_full)
        self.stream.dataReceived(b"early")
        self.joined()
        self.assertTrue(self.wire.paused)

    def test_losing_the_client_early_cancels_connecting(self) -> None:
        self.stream.dataReceived(b"half of")
        self.wire.lose(ConnectionLost())
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: truncated", "drained: clean"])


class RecordForwardingTests(proxy_contract.ForwardingContract):
    delivery = Delivery.RECORD

    def test_a_slow_backend_pauses_the_client_at_once(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.assertTrue(self.wire.paused)


class RecordClosingTests(proxy_contract.ClosingContract):
    delivery = Delivery.RECORD


class RecordBackendFinishingTests(finishing_contract.BackendFinishingContract):
    delivery = Delivery.RECORD


class ReadableConnectingTests(proxy_contract.ConnectingContract):
    delivery = Delivery.READABLE

    def test_data_read_before_the_client_was_paused_stays_unread(self) -> None:
        self.stream.dataReceived(b"early")
        self.assertEqual(self.stream.bytes_in, 0)
        self.joined()
        self.assertEqual(self.stream.bytes_in, 5)


class ReadableForwardingTests(proxy_contract.ForwardingContract):
    delivery = Delivery.READABLE

    def test_the_client_is_not_paused_below_the_high_water_mark(self) -> None:
        self.wire.deliver(b"first")
        self.to_backend.take()
        self.to_backend.producer.pauseProducing()
        self.assertFalse(self.wire.paused)
        self.wire.deliver(b"waits")
        self.assertFalse(self.wire.paused)
        self.assertEqual(self.to_backend.take(), b"")
        self.to_backend.producer.resumeProducing()
        self.assertEqual(self.to_backend.take(), b"waits")


class ReadableClosingTests(proxy_contract.ClosingContract):
    delivery = Delivery.READABLE

    def setUp(self) -> None:
        super().setUp()
        self.wire.deliver(b"first")
        self.to_backend.take()

    def test_closing_the_client_closes_the_backend_after_all_data(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.assertFalse(self.to_backend.disconnecting)
        self.to_backend.producer.resumeProducing()
        self.assertEqual(self.to_backend.take(), b"last")
        self.assertTrue(self.to_backend.disconnecting)
        self.assertFalse(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])

    def test_losing_the_client_resets_the_backend_after_all_data(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"half")
        self.wire.lose(ConnectionLost())
        self.assertFalse(self.to_backend.aborted)
        self.to_backend.producer.resumeProducing()
        self.assertTrue(self.to_backend.aborted)

    def test_aborting_ends_a_connection_whose_client_has_closed(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.proxy.abort()
        self.stream.abortConnection()
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: aborted by us"])

    def test_a_backend_is_reset_if_unread_data_was_discarded(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.stream.abort(CloseReason(Cause.IDLE))
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: idle", "drained: clean"])

    def test_a_backend_is_reset_if_unread_data_of_a_finished_client_was_discarded(
        self,
    ) -> None:
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.finish()
        self.stream.abort(CloseReason(Cause.IDLE))
        self.wire.turn()
        self.assertFalse(self.to_backend.finished)
        self.assertTrue(self.to_backend.aborted)


class ReadableBackendFinishingTests(finishing_contract.BackendFinishingContract):
    delivery = Delivery.READABLE

    def test_a_client_that_had_finished_is_closed_after_all_its_data(self) -> None:
        self.wire.deliver(b"first")
        self.to_backend.take()
        self.to_backend.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.finish()
        self.to_backend.finish()
        self.wire.turn()
        self.assertEqual(self.take_log(), [])
        self.to_backend.producer.resumeProducing()
        self.assertEqual(self.to_backend.take(), b"last")
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])
