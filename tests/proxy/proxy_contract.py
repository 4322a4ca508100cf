"""What a proxy guarantees with every delivery."""

from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import CLOSING, ClearClient, RecordingHandlerListener, WaitingBackend
from tests.support import MemoryTransport
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.tls import Delivery

REFUSED = "backend refused: Connection was refused by other side."
READS_NOTHING = "closing timeout: the backend has not read everything after 8 s"
RESET = "backend lost: Connection to the other side was lost in a non-clean fashion."


class ProxyContract(SynchronousTestCase):
    delivery: ClassVar[Delivery]

    def setUp(self) -> None:
        self.log: list[object] = []
        self.backend = WaitingBackend()
        self.connect()

    def connect(self) -> None:
        self.proxy = ProxyHandler(RecordingHandlerListener(self.log), self.backend.backend)
        client = ClearClient(self.proxy, self.delivery, self.log)
        self.stream, self.wire, self.fill = client.stream, client.wire, client.fill
        self.assertEqual(self.take_log(), ["plain"])

    def joined(self) -> MemoryTransport:
        to_backend: MemoryTransport = self.backend.connect()
        self.log.clear()
        return to_backend

    def take_log(self) -> list[object]:
        log = self.log[:]
        self.log.clear()
        return log

    def drained(self) -> list[object]:
        return [record for record in self.log if str(record).startswith("drained")]


class ConnectingContract(ProxyContract):
    def test_the_client_is_paused_until_the_backend_is_connected(self) -> None:
        self.assertTrue(self.wire.paused)
        self.wire.deliver(b"first")
        to_backend = self.backend.connect()
        self.assertEqual(to_backend.take(), b"")
        self.wire.turn()
        self.assertEqual(to_backend.take(), b"first")

    def test_the_listener_gets_our_address_towards_the_embedded_sink_only(self) -> None:
        self.backend.connect()
        self.assertEqual(self.take_log(), ["backend connected"])
        self.backend = WaitingBackend(embedded=True)
        self.connect()
        self.backend.connect()
        self.assertEqual(self.take_log(), ["backend connected", "from 192.0.2.2:2"])

    def test_data_read_before_the_client_was_paused_is_forwarded(self) -> None:
        self.stream.dataReceived(b"early ")
        to_backend = self.joined()
        self.wire.deliver(b"late")
        self.assertEqual(to_backend.take(), b"early late")

    def test_data_of_a_client_that_has_closed_early_is_forwarded(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.assertEqual(self.drained(), [])
        to_backend = self.joined()
        self.assertEqual(to_backend.take(), b"all of it")
        self.assertTrue(to_backend.disconnecting)
        self.assertFalse(to_backend.aborted)
        to_backend.turn()
        self.assertEqual(self.drained(), ["drained: clean"])

    def test_a_client_that_finishes_early_gets_the_answer(self) -> None:
        self.stream.dataReceived(b"request")
        self.wire.finish()
        to_backend = self.joined()
        self.assertEqual((to_backend.take(), to_backend.finished), (b"request", True))
        to_backend.deliver(b"answer")
        self.assertEqual(self.wire.take(), b"answer")
        to_backend.lose(ConnectionDone())
        self.wire.turn()
        self.assertEqual(self.drained(), ["drained: clean"])

    def test_a_client_that_finishes_early_and_goes_is_forwarded(self) -> None:
        self.stream.dataReceived(b"request")
        self.wire.finish()
        self.wire.lose(ConnectionDone())
        to_backend = self.joined()
        self.assertEqual(to_backend.take(), b"request")
        self.assertTrue(to_backend.disconnecting)

    def test_refusal_by_the_backend_is_reported_after_the_client_has_finished(self) -> None:
        self.wire.finish()
        self.backend.refuse()
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.drained(), [f"drained: {REFUSED}"])

    def test_refusal_by_the_backend_is_reported_after_the_client_has_closed(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.take_log()
        self.backend.refuse()
        self.assertEqual(self.drained(), [f"drained: {REFUSED}"])

    def test_a_client_that_leaves_without_data_cancels_connecting(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            self.setUp()
            self.wire.lose(reason)
            self.assertTrue(self.backend.given_up)
            self.assertEqual(self.take_log(), [f"ended: {close_reason}", "drained: clean"])

    def test_aborting_the_client_cancels_connecting(self) -> None:
        self.proxy.abort()
        self.assertFalse(self.backend.given_up)
        self.stream.abortConnection()
        self.wire.turn()
        self.assertTrue(self.backend.given_up)
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: clean"])

    def test_refusal_by_the_backend_aborts_the_client_with_that_cause(self) -> None:
        self.backend.refuse()
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.take_log(), [f"drained: {REFUSED}", "ended: backend refused"])


class ForwardingContract(ProxyContract):
    def setUp(self) -> None:
        super().setUp()
        self.to_backend = self.joined()

    def test_each_side_is_the_push_producer_of_the_other(self) -> None:
        self.assertEqual(
            (self.to_backend.producer, self.to_backend.streamingProducer), (self.proxy, True)
        )
        self.assertEqual((self.wire.producer, self.wire.streamingProducer), (self.to_backend, True))

    def test_data_is_forwarded_in_both_directions(self) -> None:
        self.wire.deliver(b"question")
        self.assertEqual(self.to_backend.take(), b"question")
        self.to_backend.deliver(b"answer")
        self.assertEqual(self.wire.take(), b"answer")

    def test_a_slow_backend_pauses_the_client_without_loss(self) -> None:
        self.to_backend.producer.pauseProducing()
        sent = self.fill()
        self.wire.deliver(b"the last")
        self.assertNotIn(b"the last", self.to_backend.take())
        self.to_backend.producer.resumeProducing()
        self.assertFalse(self.wire.paused)
        self.wire.turn()
        self.assertEqual(self.to_backend.take(), sent + b"the last")

    def test_a_slow_client_pauses_the_backend(self) -> None:
        self.wire.producer.pauseProducing()
        self.assertTrue(self.to_backend.paused)
        self.wire.producer.resumeProducing()
        self.assertFalse(self.to_backend.paused)

    def test_a_slow_client_is_not_paused_itself(self) -> None:
        self.wire.producer.pauseProducing()
        self.wire.deliver(b"question")
        self.assertEqual(self.to_backend.take(), b"question")


class ClosingContract(ForwardingContract):
    def test_closing_the_client_closes_the_backend_in_order(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.assertTrue(self.to_backend.disconnecting)
        self.assertFalse(self.to_backend.aborted)
        self.assertIsNone(self.to_backend.producer)
        self.assertEqual(self.take_log(), ["ended: clean"])
        self.assertEqual(self.to_backend.take(), b"last")
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["drained: clean"])

    def test_a_client_that_has_finished_gets_the_answer(self) -> None:
        self.wire.deliver(b"request")
        self.wire.finish()
        self.assertTrue(self.to_backend.finished)
        self.assertEqual(self.to_backend.take(), b"request")
        self.to_backend.deliver(b"answer")
        self.assertEqual(self.wire.take(), b"answer")
        self.assertEqual(self.take_log(), [])
        self.to_backend.lose(ConnectionDone())
        self.wire.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])

    def test_a_client_that_finishes_and_goes_ends_the_backend(self) -> None:
        for reason, aborted in ((ConnectionDone(), False), (ConnectionLost(), True)):
            self.wire.finish()
            self.wire.lose(reason)
            self.assertEqual(self.to_backend.aborted, aborted)
            self.to_backend.turn()
            self.assertEqual(self.take_log()[-1], "drained: clean")
            self.setUp()

    def test_losing_the_backend_of_a_client_that_has_finished_aborts_the_client(self) -> None:
        self.wire.finish()
        self.to_backend.lose(ConnectionLost())
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.drained(), [f"drained: {RESET}"])

    def test_losing_the_client_resets_the_backend(self) -> None:
        self.wire.deliver(b"half")
        self.wire.lose(ConnectionLost())
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: truncated", "drained: clean"])

    def test_closing_the_backend_closes_the_client_in_order(self) -> None:
        self.to_backend.deliver(b"last")
        self.to_backend.lose(ConnectionDone())
        self.assertTrue(self.wire.disconnecting)
        self.assertFalse(self.wire.aborted)
        self.assertIsNone(self.wire.producer)
        self.assertEqual(self.wire.take(), b"last")
        self.wire.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])

    def test_losing_the_backend_aborts_the_client(self) -> None:
        self.to_backend.deliver(b"half")
        self.to_backend.lose(ConnectionLost())
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.take_log(), [f"drained: {RESET}", "ended: backend lost"])

    def test_a_backend_that_closes_while_pausing_us_is_lost(self) -> None:
        self.to_backend.producer.pauseProducing()
        self.fill()
        self.to_backend.lose(ConnectionDone())
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        drained, ended = self.take_log()
        self.assertTrue(str(drained).startswith("drained: backend lost"), drained)
        self.assertEqual(ended, "ended: backend lost")

    def test_a_backend_that_closes_before_the_client_has_sent_everything_is_lost(self) -> None:
        self.to_backend.lose(ConnectionDone())
        self.wire.deliver(b"12345")
        self.assertEqual(
            self.take_log(),
            ["ended: clean", "drained: backend lost: it closed with 5 bytes undelivered"],
        )

    def test_losing_the_backend_after_the_client_has_closed_is_reported(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.to_backend.lose(ConnectionLost())
        ended, drained = self.take_log()
        self.assertEqual(ended, "ended: clean")
        self.assertTrue(str(drained).startswith("drained: backend lost: while draining: "), drained)

    def test_a_backend_that_does_not_read_the_rest_in_time_is_aborted(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.backend.clock.advance(CLOSING - 1)
        self.assertFalse(self.to_backend.aborted)
        self.backend.clock.advance(1)
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: clean", f"drained: {READS_NOTHING}"])

    def test_a_backend_that_reads_the_rest_in_time_leaves_no_timeout(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.to_backend.take()
        self.to_backend.turn()
        self.assertEqual(self.drained(), ["drained: clean"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_answers_for_a_client_that_has_gone_are_discarded(self) -> None:
        self.wire.lose(ConnectionDone())
        self.to_backend.deliver(b"too late")
        self.assertEqual(self.wire.take(), b"")

    def give_up(self) -> None:
        self.proxy.abort()
        self.stream.abortConnection()
        self.assertTrue(self.wire.aborted and self.to_backend.aborted)

    def test_aborting_ends_both_sides_at_once(self) -> None:
        self.give_up()
        self.wire.turn()
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: aborted by us"])

    def test_aborting_is_the_cause_even_if_the_backend_ends_first(self) -> None:
        self.give_up()
        self.to_backend.turn()
        self.wire.turn()
        self.assertEqual(self.log[1:], ["ended: aborted by us"])
        self.assertEqual(len(self.drained()), 1)

    def test_aborting_ends_a_backend_that_does_not_read(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.take_log()
        self.proxy.abort()
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["drained: aborted by us"])
