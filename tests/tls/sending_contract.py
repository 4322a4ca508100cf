"""What every mode that encrypts promises about sending, closing and flow control."""

from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import RecordingProducer, patch_reactor_clock
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    End,
    ForeignPeer,
    client_tls,
    foreign_client,
    foreign_server,
    record_types,
    server_tls,
)
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.tls import Delivery, ModeName, Send
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol

APPLICATION_DATA = 23


class SendingContract(SynchronousTestCase):
    mode: ClassVar[ModeName]

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def secured(self, send: Send = Send.RAW) -> tuple[End, ForeignPeer]:
        """A tlsdemo server and its client after the handshake, with an empty log."""
        # TLS 1.2 shows in its records what is data and what is an alert.
        peer = foreign_client(version=TLS12)
        tls, delivery = server_tls(), Delivery.RECORD
        end = End(self.mode, tls, delivery=delivery, send=send, clock=self.clock)
        end.secured_with(peer)
        end.log.clear()
        return end, peer

    # Sending.

    def test_each_write_is_a_record_if_raw(self) -> None:
        end, peer = self.secured(Send.RAW)
        end.stream.write(b"one")
        end.stream.write(b"two")
        end.stream.writeSequence([b"th", b"ree"])
        wire = end.transport.take()
        self.assertEqual(record_types(wire), [APPLICATION_DATA] * 3)
        peer.receive(wire)
        self.assertEqual(peer.received, b"onetwothree")
        self.assertEqual(end.stream.bytes_out, 11)

    def test_writes_of_one_reactor_turn_are_one_record_if_buffered(self) -> None:
        end, peer = self.secured(Send.BUFFERED)
        end.stream.write(b"one")
        end.stream.write(b"two")
        end.stream.writeSequence([b"th", b"ree"])
        self.assertEqual(end.transport.take(), b"")
        self.clock.advance(0)
        wire = end.transport.take()
        self.assertEqual(record_types(wire), [APPLICATION_DATA])
        peer.receive(wire)
        self.assertEqual(peer.received, b"onetwothree")
        self.assertEqual(end.stream.bytes_out, 11)

    def test_data_is_sent_in_both_directions_by_both_ends_with_both_versions(self) -> None:
        for version in (TLS12, TLS13):
            for tls, peer in (
                (server_tls(), foreign_client(version=version)),
                (client_tls(), foreign_server(version=version)),
            ):
                end = End(self.mode, tls, clock=self.clock).secured_with(peer)
                end.stream.write(b"ping" * 10_000)
                self.clock.advance(0)
                peer.write(b"pong" * 10_000)
                end.exchange_with(peer)
                self.assertEqual(peer.received, b"ping" * 10_000)
                self.assertEqual(b"".join(end.application.received), b"pong" * 10_000)

    # Closing.

    def test_closing_sends_what_was_written_then_close_notify(self) -> None:
        for send in Send:
            end, peer = self.secured(send)
            end.stream.write(b"last words")
            self.assertFalse(end.stream.disconnecting)
            end.stream.loseConnection()
            self.assertTrue(end.stream.disconnecting)
            end.exchange_with(peer)
            self.assertEqual(peer.received, b"last words")
            self.assertTrue(peer.closed)
            self.assertEqual(end.log, [])
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, ["ended: clean", "lost: ConnectionDone"])

    def test_stop_producing_closes_in_order(self) -> None:
        end, peer = self.secured()
        end.stream.stopProducing()
        end.exchange_with(peer)
        self.assertTrue(peer.closed)

    def test_close_notify_from_the_peer_is_answered(self) -> None:
        end, peer = self.secured()
        peer.close()
        end.exchange_with(peer)
        self.assertEqual(end.log, ["ended: clean", "lost: ConnectionDone"])
        self.assertTrue(peer.closed)

    def test_nothing_is_delivered_after_aborting(self) -> None:
        end, peer = self.secured()
        end.application.on_data = lambda data: end.stream.abortConnection()
        peer.write(b"one", b"two")
        end.transport.deliver(peer.take())
        self.assertTrue(end.transport.aborted)
        self.assertTrue(end.stream.disconnecting)
        self.assertEqual(end.log, [b"one", "ended: aborted by us", "lost: ConnectionLost"])

    def test_aborting_again_changes_nothing(self) -> None:
        end, _peer = self.secured()
        end.stream.abort(CloseReason(Cause.BACKEND_LOST, "it went away"))
        end.stream.abortConnection()
        end.stream.loseConnection()
        end.transport.turn()
        end.stream.abortConnection()
        self.assertEqual(end.log, ["ended: backend lost", "lost: ConnectionLost"])
        self.assertEqual(str(end.listener.close_reason), "backend lost: it went away")

    def test_data_written_after_the_end_is_dropped(self) -> None:
        for send in Send:
            end, peer = self.secured(send)
            end.stream.write(b"before")
            end.stream.loseConnection()
            end.stream.write(b"after")
            self.clock.advance(0)
            end.exchange_with(peer)
            end.transport.lose(ConnectionLost())
            end.stream.write(b"long after")
            self.clock.advance(0)
            self.assertEqual(peer.received, b"before")

    def test_closing_after_the_end_does_nothing(self) -> None:
        end, peer = self.secured()
        peer.close()
        end.exchange_with(peer)
        end.log.clear()
        end.stream.loseConnection()
        end.stream.abortConnection()
        end.stream.pauseProducing()
        end.stream.resumeProducing()
        self.assertEqual(end.log, [])

    # Flow control.

    def test_a_producer_is_paused_when_the_wire_is_full(self) -> None:
        end, _peer = self.secured()
        producer = RecordingProducer()
        end.stream.registerProducer(producer, True)
        end.transport.producer.pauseProducing()
        end.transport.producer.resumeProducing()
        self.assertEqual(producer.log, ["pause", "resume"])
        end.stream.unregisterProducer()
        self.assertIsNone(end.transport.producer)

    def test_closing_waits_for_a_registered_producer(self) -> None:
        end, peer = self.secured()
        end.stream.registerProducer(RecordingProducer(), True)
        end.stream.loseConnection()
        end.stream.write(b"still coming")
        end.exchange_with(peer)
        self.assertFalse(peer.closed)
        end.stream.unregisterProducer()
        end.exchange_with(peer)
        self.assertEqual(peer.received, b"still coming")
        self.assertTrue(peer.closed)

    def test_a_producer_registered_after_the_end_is_stopped(self) -> None:
        end, peer = self.secured()
        peer.close()
        end.exchange_with(peer)
        producer = RecordingProducer()
        end.stream.registerProducer(producer, True)
        self.assertEqual(producer.log, ["stop"])

    # The rest.

    def test_the_addresses_are_those_of_the_wire(self) -> None:
        end, _peer = self.secured()
        self.assertEqual(end.stream.getPeer(), end.transport.getPeer())
        self.assertEqual(end.stream.getHost(), end.transport.getHost())

    def test_a_stream_provides_its_interfaces(self) -> None:
        end, _peer = self.secured()
        for interface in (ITransport, IConsumer, IPushProducer):
            verifyObject(interface, end.stream)

    def test_the_observer_sees_how_the_connection_is_secured(self) -> None:
        end, _peer = self.secured()
        self.assertIsInstance(end.protocol, UpgradeProtocol)
        self.assertEqual(end.observer.names[0], "connected")
