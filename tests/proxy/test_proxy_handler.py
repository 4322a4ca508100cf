from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.proxy import proxy_contract as proxying
from tests.support import MemoryTransport
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls import Delivery


class JoiningByRecord(proxying.JoiningContract):
    delivery = Delivery.RECORD

    def test_giving_up_ends_the_connecting_for_a_client_that_has_gone(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.assertFalse(self.backend.given_up)
        self.proxy.abort()
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: clean", "drained: aborted by us"])

    def test_a_backend_that_is_slow_from_the_beginning_makes_the_client_wait_on(self) -> None:
        write = MemoryTransport.write

        def write_and_be_full(transport: MemoryTransport, data: bytes) -> None:
            write(transport, data)
            transport.producer.pauseProducing()

        self.patch(MemoryTransport, "write", write_and_be_full)
        self.stream.dataReceived(b"early")
        self.joined()
        self.assertTrue(self.wire.paused)

    def test_a_truncated_beginning_is_not_worth_connecting_for(self) -> None:
        self.stream.dataReceived(b"half of")
        self.wire.lose(ConnectionLost())
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: truncated", "drained: clean"])


class CarryingByRecord(proxying.CarryingContract):
    delivery = Delivery.RECORD

    def test_a_slow_backend_makes_the_client_wait_at_once(self) -> None:
        self.far.producer.pauseProducing()
        self.assertTrue(self.wire.paused)


class EndingByRecord(proxying.EndingContract):
    delivery = Delivery.RECORD


class JoiningOnDemand(proxying.JoiningContract):
    delivery = Delivery.READABLE

    def test_what_was_read_before_the_client_had_to_wait_is_not_taken_either(self) -> None:
        self.stream.dataReceived(b"early")
        self.assertEqual(self.stream.bytes_in, 0)
        self.joined()
        self.assertEqual(self.stream.bytes_in, 5)


class CarryingOnDemand(proxying.CarryingContract):
    delivery = Delivery.READABLE

    def test_the_client_goes_on_as_long_as_there_is_room_for_it(self) -> None:
        self.wire.deliver(b"first")
        self.far.take()
        self.far.producer.pauseProducing()
        self.assertFalse(self.wire.paused)
        self.wire.deliver(b"waits")
        self.assertFalse(self.wire.paused)
        self.assertEqual(self.far.take(), b"")
        self.far.producer.resumeProducing()
        self.assertEqual(self.far.take(), b"waits")


class EndingOnDemand(proxying.EndingContract):
    delivery = Delivery.READABLE

    def setUp(self) -> None:
        super().setUp()
        self.wire.deliver(b"first")
        self.far.take()

    def test_a_client_that_has_closed_ends_the_backend_after_all_that_it_sent(self) -> None:
        self.far.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.assertFalse(self.far.disconnecting)
        self.far.producer.resumeProducing()
        self.assertEqual(self.far.take(), b"last")
        self.assertTrue(self.far.disconnecting)
        self.assertFalse(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])

    def test_a_backend_is_cut_off_after_all_that_came_before_the_client_was(self) -> None:
        self.far.producer.pauseProducing()
        self.wire.deliver(b"half")
        self.wire.lose(ConnectionLost())
        self.assertFalse(self.far.aborted)
        self.far.producer.resumeProducing()
        self.assertTrue(self.far.aborted)

    def test_giving_up_ends_the_wait_of_a_client_that_has_closed(self) -> None:
        self.far.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.proxy.abort()
        self.stream.abortConnection()
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: aborted by us"])

    def test_a_backend_takes_nothing_for_complete_of_which_something_was_given_up(self) -> None:
        self.far.producer.pauseProducing()
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.stream.abort(CloseReason(Cause.IDLE))
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: idle", "drained: clean"])
