"""What a proxy promises in every delivery."""

from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import CLOSING, Near, RecordingHandlerListener, WaitingBackend
from tests.support import MemoryTransport
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.tls import Delivery

REFUSED = "backend refused: Connection was refused by other side."
TAKES_NOTHING = "closing timeout: the backend has not read everything after 8 s"
RESET = "backend lost: Connection to the other side was lost in a non-clean fashion."


class ProxyContract(SynchronousTestCase):
    delivery: ClassVar[Delivery]

    def setUp(self) -> None:
        self.log: list[object] = []
        self.backend = WaitingBackend()
        self.proxy = ProxyHandler(RecordingHandlerListener(self.log), self.backend.backend)
        near = Near(self.proxy, self.delivery, self.log)
        self.stream, self.wire, self.fill = near.stream, near.wire, near.fill
        self.assertEqual(self.take_log(), ["plain"])

    def joined(self) -> MemoryTransport:
        far: MemoryTransport = self.backend.connect()
        self.log.clear()
        return far

    def take_log(self) -> list[object]:
        log = self.log[:]
        self.log.clear()
        return log

    def drained(self) -> list[object]:
        return [record for record in self.log if str(record).startswith("drained")]


class JoiningContract(ProxyContract):
    def test_the_client_waits_until_the_backend_is_connected(self) -> None:
        self.assertTrue(self.wire.paused)
        self.wire.deliver(b"first")
        far = self.backend.connect()
        self.assertEqual(far.take(), b"")
        self.wire.turn()
        self.assertEqual(far.take(), b"first")

    def test_the_owner_is_told_of_the_backend_and_how_it_was_reached(self) -> None:
        self.backend.connect()
        self.assertEqual(self.take_log(), ["backend connected", "from 192.0.2.2:2"])

    def test_what_was_read_before_the_client_had_to_wait_is_not_lost(self) -> None:
        self.stream.dataReceived(b"early ")
        far = self.joined()
        self.wire.deliver(b"late")
        self.assertEqual(far.take(), b"early late")

    def test_a_client_that_has_said_all_and_closed_loses_nothing(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.assertEqual(self.drained(), [])
        far = self.joined()
        self.assertEqual(far.take(), b"all of it")
        self.assertTrue(far.disconnecting)
        self.assertFalse(far.aborted)
        far.turn()
        self.assertEqual(self.drained(), ["drained: clean"])

    def test_a_client_that_has_closed_is_still_owed_a_backend_that_takes_it(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.take_log()
        self.backend.refuse()
        self.assertEqual(self.drained(), [f"drained: {REFUSED}"])

    def test_a_client_that_says_nothing_and_goes_ends_the_connecting(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            self.setUp()
            self.wire.lose(reason)
            self.assertTrue(self.backend.given_up)
            self.assertEqual(self.take_log(), [f"ended: {close_reason}", "drained: clean"])

    def test_giving_up_the_client_ends_the_connecting_with_it(self) -> None:
        self.proxy.abort()
        self.assertFalse(self.backend.given_up)
        self.stream.abortConnection()
        self.wire.turn()
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: clean"])

    def test_a_backend_that_refuses_ends_the_client_with_that_cause(self) -> None:
        self.backend.refuse()
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.take_log(), [f"drained: {REFUSED}", "ended: backend refused"])


class CarryingContract(ProxyContract):
    def setUp(self) -> None:
        super().setUp()
        self.far = self.joined()

    def test_each_side_is_the_push_producer_of_the_other(self) -> None:
        self.assertEqual((self.far.producer, self.far.streamingProducer), (self.proxy, True))
        self.assertEqual((self.wire.producer, self.wire.streamingProducer), (self.far, True))

    def test_bytes_go_both_ways(self) -> None:
        self.wire.deliver(b"question")
        self.assertEqual(self.far.take(), b"question")
        self.far.deliver(b"answer")
        self.assertEqual(self.wire.take(), b"answer")

    def test_a_slow_backend_makes_the_client_wait_and_loses_nothing(self) -> None:
        self.far.producer.pauseProducing()
        sent = self.fill()
        self.wire.deliver(b"the last")
        self.assertNotIn(b"the last", self.far.take())
        self.far.producer.resumeProducing()
        self.assertFalse(self.wire.paused)
        self.wire.turn()
        self.assertEqual(self.far.take(), sent + b"the last")

    def test_a_slow_client_makes_the_backend_wait(self) -> None:
        self.wire.producer.pauseProducing()
        self.assertTrue(self.far.paused)
        self.wire.producer.resumeProducing()
        self.assertFalse(self.far.paused)

    def test_a_slow_client_does_not_keep_its_own_bytes_back(self) -> None:
        self.wire.producer.pauseProducing()
        self.wire.deliver(b"question")
        self.assertEqual(self.far.take(), b"question")


class EndingContract(CarryingContract):
    def test_a_client_that_ends_in_order_ends_the_backend_in_order(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.assertTrue(self.far.disconnecting)
        self.assertFalse(self.far.aborted)
        self.assertIsNone(self.far.producer)
        self.assertEqual(self.take_log(), ["ended: clean"])
        self.assertEqual(self.far.take(), b"last")
        self.far.turn()
        self.assertEqual(self.take_log(), ["drained: clean"])

    def test_a_client_that_was_cut_off_has_the_backend_cut_off(self) -> None:
        self.wire.deliver(b"half")
        self.wire.lose(ConnectionLost())
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: truncated", "drained: clean"])

    def test_a_backend_that_ends_in_order_ends_the_client_in_order(self) -> None:
        self.far.deliver(b"last")
        self.far.lose(ConnectionDone())
        self.assertTrue(self.wire.disconnecting)
        self.assertFalse(self.wire.aborted)
        self.assertIsNone(self.wire.producer)
        self.assertEqual(self.wire.take(), b"last")
        self.wire.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])

    def test_a_backend_that_was_cut_off_has_the_client_cut_off(self) -> None:
        self.far.deliver(b"half")
        self.far.lose(ConnectionLost())
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.take_log(), [f"drained: {RESET}", "ended: backend lost"])

    def test_a_backend_that_closes_while_it_makes_us_wait_is_lost(self) -> None:
        self.far.producer.pauseProducing()
        self.fill()
        self.far.lose(ConnectionDone())
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        drained, ended = self.take_log()
        self.assertTrue(str(drained).startswith("drained: backend lost"), drained)
        self.assertEqual(ended, "ended: backend lost")

    def test_a_backend_that_closes_before_the_client_has_said_all_is_lost(self) -> None:
        self.far.lose(ConnectionDone())
        self.wire.deliver(b"12345")
        self.assertEqual(
            self.take_log(),
            ["ended: clean", "drained: backend lost: it closed with 5 bytes undelivered"],
        )

    def test_a_client_that_closes_is_told_apart_from_a_backend_that_dies_meanwhile(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.far.lose(ConnectionLost())
        ended, drained = self.take_log()
        self.assertEqual(ended, "ended: clean")
        self.assertTrue(str(drained).startswith("drained: backend lost: while draining: "), drained)

    def test_a_backend_that_does_not_take_what_is_left_for_it_is_cut_off_in_time(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.backend.clock.advance(CLOSING - 1)
        self.assertFalse(self.far.aborted)
        self.backend.clock.advance(1)
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: clean", f"drained: {TAKES_NOTHING}"])

    def test_a_backend_that_has_taken_all_in_time_is_waited_for_no_longer(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.far.take()
        self.far.turn()
        self.assertEqual(self.drained(), ["drained: clean"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_what_the_backend_answers_to_nobody_is_let_go(self) -> None:
        self.wire.lose(ConnectionDone())
        self.far.deliver(b"too late")
        self.assertEqual(self.wire.take(), b"")

    def give_up(self) -> None:
        self.proxy.abort()
        self.stream.abortConnection()
        self.assertTrue(self.wire.aborted and self.far.aborted)

    def test_giving_up_the_connection_ends_both_sides_at_once(self) -> None:
        self.give_up()
        self.wire.turn()
        self.far.turn()
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: aborted by us"])

    def test_giving_up_is_the_cause_also_if_the_backend_is_gone_first(self) -> None:
        self.give_up()
        self.far.turn()
        self.wire.turn()
        self.assertEqual(self.log[1:], ["ended: aborted by us"])
        self.assertEqual(len(self.drained()), 1)

    def test_giving_up_ends_a_backend_that_takes_nothing_more(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.take_log()
        self.proxy.abort()
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.take_log(), ["drained: aborted by us"])
