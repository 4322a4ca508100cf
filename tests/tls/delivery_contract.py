"""What every mode that encrypts promises about how bytes reach the application."""

from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.support import patch_reactor_clock
from tests.tls.memory_ends import End, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import Delivery, ModeName

THREE = (b"one", b"two", b"three")
GARBAGE = b"neither TLS nor anything else"
END: list[object] = ["ended: clean", "lost: ConnectionDone"]


class DeliveryContract(SynchronousTestCase):
    mode: ClassVar[ModeName]

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def secured(self, delivery: Delivery) -> tuple[End, ForeignPeer]:
        """A tlsdemo server and its client after the handshake, with an empty log."""
        peer = foreign_client()
        end = End(self.mode, server_tls(), delivery=delivery, clock=self.clock)
        end.secured_with(peer).log.clear()
        return end, peer

    def test_records_in_one_segment_are_delivered_one_by_one(self) -> None:
        end, peer = self.secured(Delivery.RECORD)
        peer.write(*THREE)
        end.exchange_with(peer)
        self.assertEqual(end.log, [*THREE])
        stream = end.stream
        self.assertEqual((stream.records, stream.events, stream.bytes_in), (3, 3, 11))

    def test_records_in_one_segment_are_delivered_at_once_if_coalesced(self) -> None:
        end, peer = self.secured(Delivery.COALESCED)
        for _ in range(2):
            peer.write(*THREE)
            end.exchange_with(peer)
        self.assertEqual(end.log, [b"onetwothree"] * 2)
        stream = end.stream
        self.assertEqual((stream.records, stream.events, stream.bytes_in), (6, 2, 22))

    def test_a_record_in_pieces_is_delivered_at_once(self) -> None:
        for delivery in (Delivery.RECORD, Delivery.COALESCED):
            end, peer = self.secured(delivery)
            peer.write(b"data")
            for byte in peer.take():
                self.assertEqual(end.log, [])
                end.transport.deliver(bytes([byte]))
            self.assertEqual(end.log, [b"data"])

    def test_the_end_is_reported_after_data_of_the_same_segment(self) -> None:
        for delivery, data in ((Delivery.RECORD, THREE), (Delivery.COALESCED, (b"onetwothree",))):
            end, peer = self.secured(delivery)
            peer.write(*THREE)
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, [*data, *END])

    def test_an_error_is_reported_after_data_of_the_same_segment(self) -> None:
        for delivery, data in ((Delivery.RECORD, THREE), (Delivery.COALESCED, (b"onetwothree",))):
            end, peer = self.secured(delivery)
            peer.write(*THREE)
            end.transport.deliver(peer.take() + GARBAGE)
            end.exchange_with(peer)
            assert end.listener.close_reason is not None
            self.assertFalse(end.listener.close_reason.clean)
            self.assertEqual(
                end.log, [*data, f"ended: {end.listener.close_reason.cause.value}", "lost: Error"]
            )

    def test_a_stream_without_close_notify_is_truncated(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            end, peer = self.secured(Delivery.RECORD)
            peer.write(b"data")
            end.exchange_with(peer)
            end.transport.lose(reason)
            self.assertEqual(end.log, [b"data", "ended: truncated", "lost: ConnectionLost"])

    def test_losing_the_wire_after_close_notify_is_a_clean_end(self) -> None:
        end, peer = self.secured(Delivery.RECORD)
        peer.write(b"data")
        peer.close()
        end.transport.protocol.dataReceived(peer.take())
        end.transport.lose(ConnectionLost())
        self.assertEqual(end.log, [b"data", *END])

    # Pausing.

    def paused(self, delivery: Delivery) -> tuple[End, ForeignPeer]:
        """One that pauses at its first data, with more in the same segment."""
        end, peer = self.secured(delivery)
        end.application.on_data = lambda data: end.stream.pauseProducing()
        peer.write(b"first")
        end.exchange_with(peer)
        return end, peer

    def test_a_paused_stream_delivers_nothing_until_it_is_resumed(self) -> None:
        end, peer = self.secured(Delivery.RECORD)
        end.application.on_data = lambda data: end.stream.pauseProducing()
        peer.write(*THREE)
        end.exchange_with(peer)
        self.assertEqual(end.log, [b"one"])
        self.assertTrue(end.transport.paused)
        end.stream.resumeProducing()
        self.assertEqual(end.log, [b"one", b"two"])
        self.assertTrue(end.transport.paused)
        end.application.on_data = lambda data: None
        end.stream.resumeProducing()
        self.assertEqual(end.log, [b"one", b"two", b"three"])
        self.assertFalse(end.transport.paused)

    def test_bytes_that_arrive_during_a_pause_are_held(self) -> None:
        for delivery, later in (
            (Delivery.RECORD, [b"second", b"third"]),
            (Delivery.COALESCED, [b"secondthird"]),
        ):
            end, peer = self.paused(delivery)
            peer.write(b"second")
            end.transport.protocol.dataReceived(peer.take())
            peer.write(b"third")
            end.transport.protocol.dataReceived(peer.take())
            self.assertEqual(end.log, [b"first"])
            end.application.on_data = lambda data: None
            end.stream.resumeProducing()
            self.assertEqual(end.log, [b"first", *later])

    def test_data_from_the_paused_wire_is_delivered_after_data_that_was_held(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(b"second")
        end.transport.protocol.dataReceived(peer.take())
        peer.write(b"third")
        end.transport.deliver(peer.take())
        end.application.on_data = lambda data: None
        end.stream.resumeProducing()
        end.transport.turn()
        self.assertEqual(end.log, [b"first", b"second", b"third"])

    def test_resuming_a_stream_that_is_not_paused_does_nothing(self) -> None:
        end, _peer = self.secured(Delivery.RECORD)
        end.transport.pauseProducing()
        end.stream.resumeProducing()
        self.assertTrue(end.transport.paused)

    def test_a_stream_can_be_paused_and_resumed_before_its_first_data(self) -> None:
        end, peer = self.secured(Delivery.RECORD)
        end.stream.pauseProducing()
        peer.write(b"data")
        end.transport.protocol.dataReceived(peer.take())
        self.assertEqual(end.log, [])
        end.stream.resumeProducing()
        self.assertEqual(end.log, [b"data"])

    def test_resuming_a_stream_that_was_aborted_while_paused_does_nothing(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(b"second")
        end.transport.protocol.dataReceived(peer.take())
        end.stream.abortConnection()
        end.transport.turn()
        end.stream.resumeProducing()
        self.assertTrue(end.transport.paused)
        self.assertEqual(end.log[:2], [b"first", "ended: aborted by us"])

    def test_aborting_while_resuming_delivers_leaves_the_wire_paused(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(b"second", b"third")
        end.transport.protocol.dataReceived(peer.take())
        end.application.on_data = lambda data: end.stream.abortConnection()
        end.stream.resumeProducing()
        self.assertTrue(end.transport.paused)
        self.assertEqual(end.log, [b"first", b"second"])

    def test_resuming_inside_a_delivery_is_not_reentrant(self) -> None:
        end, peer = self.secured(Delivery.RECORD)

        def pause_and_resume(data: bytes) -> None:
            end.log.append("in")
            end.stream.pauseProducing()
            end.stream.resumeProducing()
            end.log.append("out")

        end.application.on_data = pause_and_resume
        peer.write(b"one", b"two")
        end.exchange_with(peer)
        self.assertEqual(end.log, [b"one", "in", "out", b"two", "in", "out"])
        self.assertFalse(end.transport.paused)

    def test_losing_the_wire_while_paused_delivers_what_was_received_and_ends_cleanly(self) -> None:
        for delivery, data in (
            (Delivery.RECORD, [b"first", *THREE]),
            (Delivery.COALESCED, [b"first", b"onetwothree"]),
        ):
            for reason in (ConnectionDone(), ConnectionLost()):
                end, peer = self.paused(delivery)
                peer.write(*THREE)
                peer.close()
                end.transport.protocol.dataReceived(peer.take())
                self.assertEqual(end.log, [b"first"])
                end.transport.lose(reason)
                self.assertEqual(end.log, [*data, *END])

    def test_losing_the_wire_while_paused_without_close_notify_is_a_truncation(self) -> None:
        for delivery, data in (
            (Delivery.RECORD, [b"first", *THREE]),
            (Delivery.COALESCED, [b"first", b"onetwothree"]),
        ):
            for reason in (ConnectionDone(), ConnectionLost()):
                end, peer = self.paused(delivery)
                peer.write(*THREE)
                end.transport.protocol.dataReceived(peer.take())
                end.transport.lose(reason)
                self.assertEqual(end.log, [*data, "ended: truncated", "lost: ConnectionLost"])

    def test_an_error_that_was_held_is_reported_when_the_wire_is_lost(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(b"second")
        end.transport.protocol.dataReceived(peer.take() + GARBAGE)
        end.transport.lose(ConnectionDone())
        assert end.listener.close_reason is not None
        self.assertFalse(end.listener.close_reason.clean)
        cause = end.listener.close_reason.cause.value
        self.assertEqual(end.log, [b"first", b"second", f"ended: {cause}", "lost: Error"])

    def test_an_end_that_was_held_is_reported_when_the_stream_is_resumed(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(b"second")
        peer.close()
        end.transport.protocol.dataReceived(peer.take())
        end.application.on_data = lambda data: None
        end.stream.resumeProducing()
        end.exchange_with(peer)
        self.assertEqual(end.log, [b"first", b"second", *END])

    def test_pausing_after_an_error_does_not_hide_it(self) -> None:
        for delivery in (Delivery.RECORD, Delivery.COALESCED):
            end, peer = self.secured(delivery)
            peer.write(b"first")
            end.transport.protocol.dataReceived(peer.take() + GARBAGE)
            end.stream.pauseProducing()
            end.exchange_with(peer)
            self.assertEqual(end.log[0], b"first")
            self.assertEqual(end.log[-1], "lost: Error")

    def test_closing_while_held_bytes_are_delivered_does_not_stop_them(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(*THREE)
        end.transport.protocol.dataReceived(peer.take())
        end.application.on_data = lambda data: end.stream.loseConnection()
        end.transport.lose(ConnectionLost())
        self.assertEqual(end.log, [b"first", *THREE, "ended: truncated", "lost: ConnectionLost"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aborting_while_held_bytes_are_delivered_stops_them(self) -> None:
        end, peer = self.paused(Delivery.RECORD)
        peer.write(*THREE)
        end.transport.protocol.dataReceived(peer.take())
        end.application.on_data = lambda data: end.stream.abortConnection()
        end.transport.lose(ConnectionLost())
        self.assertEqual(end.log[:3], [b"first", b"one", "ended: aborted by us"])
