from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import RecordingProducer, patch_reactor_clock
from tests.tls.half_closeable import TLS_MODES
from tests.tls.memory_ends import End, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import ModeName, Send
from tlsdemo.tls.paced_sender import PORTION, PacedSender
from tlsdemo.tls.tls_connection import TLSConnection


class FakeConnection:
    """Encrypts by doing nothing."""

    sent_by_layer = False

    def encrypt_part(self, data: bytes, start: int, end: int) -> tuple[int, bytes]:
        return end, data[start:end]


class FakeLayer:
    """A TLS layer and its transport, which has room for so many writes."""

    def __init__(self, room: int = 0) -> None:
        self.transport = self
        self.room = room
        self.written: list[bytes] = []
        self.producer: Any = None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.room -= 1
        if self.room < 0 and self.producer is not None:
            self.producer.pauseProducing()

    def make_room(self, room: int = 0) -> None:
        self.room = room
        if self.producer is not None:
            self.producer.resumeProducing()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    @property
    def sizes(self) -> list[int]:
        return [len(each) for each in self.written]


class PacedSenderTests(SynchronousTestCase):
    def setUp(self) -> None:
        layer: Any = FakeLayer()
        connection: Any = FakeConnection()
        self.layer: FakeLayer = layer
        self.sender = PacedSender(layer, connection)
        self.producer = RecordingProducer()

    def test_a_small_write_is_sent_at_once_even_if_the_wire_is_full(self) -> None:
        self.sender.register(self.producer, True)
        self.sender.send(b"one")
        self.sender.send(b"two and more", 3)
        self.assertEqual(self.layer.written, [b"one", b"two"])
        self.assertEqual(self.producer.log, ["pause", "pause"])

    def test_without_flow_control_a_large_write_is_sent_at_once_in_portions(self) -> None:
        self.layer.room = 10
        self.sender.send(b"x" * (2 * PORTION + 1))
        self.assertEqual(self.layer.sizes, [PORTION, PORTION, 1])
        self.assertIsNone(self.layer.producer)

    def test_a_large_write_waits_for_room_and_so_does_all_behind_it(self) -> None:
        self.sender.send(b"x" * (2 * PORTION + 1))
        self.sender.send(b"behind")
        self.assertEqual(self.layer.sizes, [PORTION])
        self.layer.make_room()
        self.assertEqual(self.layer.sizes, [PORTION, PORTION])
        self.layer.make_room(5)
        self.assertEqual(self.layer.written[2:], [b"x", b"behind"])
        self.assertIsNone(self.layer.producer)

    def test_what_waits_and_can_change_is_copied(self) -> None:
        data: Any = bytearray(b"x" * (PORTION + 1))
        self.sender.send(data)
        data[:] = b"y" * len(data)
        self.layer.make_room()
        self.assertEqual(b"".join(self.layer.written), b"x" * (PORTION + 1))

    def test_a_producer_is_paused_while_anything_waits(self) -> None:
        self.sender.register(self.producer, True)
        self.sender.send(b"x" * (PORTION + 1))
        self.assertEqual(self.producer.log, ["pause"])
        self.layer.make_room(0)
        # There was room for the rest, but then no more.
        self.assertEqual(self.producer.log, ["pause", "pause"])
        self.layer.make_room(1)
        self.assertEqual(self.producer.log, ["pause", "pause", "resume"])
        self.assertEqual(self.layer.sizes, [PORTION, 1])

    def test_a_producer_that_comes_while_something_waits_is_paused(self) -> None:
        self.sender.send(b"x" * (PORTION + 1))
        self.sender.register(self.producer, True)
        self.assertEqual(self.producer.log, ["pause"])
        self.layer.make_room(5)
        self.assertEqual(self.producer.log, ["pause", "resume"])
        self.sender.unregister()
        self.assertIsNone(self.layer.producer)

    def test_a_producer_that_goes_while_something_waits_leaves_it_waiting(self) -> None:
        self.sender.register(self.producer, True)
        self.sender.send(b"x" * (PORTION + 1))
        self.sender.unregister()
        self.layer.make_room(5)
        self.assertEqual(self.producer.log, ["pause"])
        self.assertEqual(self.layer.sizes, [PORTION, 1])
        self.assertIsNone(self.layer.producer)

    def test_in_the_end_nothing_waits(self) -> None:
        self.sender.send(b"x" * (3 * PORTION))
        self.sender.finish()
        self.assertEqual(self.layer.sizes, [PORTION] * 3)
        self.assertIsNone(self.layer.producer)

    def test_a_producer_stays_when_nothing_waits_any_more(self) -> None:
        self.sender.register(self.producer, True)
        self.sender.send(b"x" * (2 * PORTION))
        self.sender.finish()
        self.assertEqual(self.layer.sizes, [PORTION] * 2)
        self.assertIs(self.layer.producer, self.sender)

    def test_what_waits_can_be_dropped(self) -> None:
        self.sender.send(b"x" * (3 * PORTION))
        self.sender.drop()
        self.layer.make_room(5)
        self.assertEqual(self.layer.sizes, [PORTION])

    def test_a_lost_connection_stops_the_producer_and_drops_what_waits(self) -> None:
        self.sender.send(b"x" * (3 * PORTION))
        self.sender.stopProducing()
        self.sender.register(self.producer, True)
        self.layer.producer.stopProducing()
        self.assertEqual(self.producer.log[-1], "stop")
        self.layer.make_room(5)
        self.assertEqual(self.layer.sizes, [PORTION])

    def test_one_that_is_pulled_is_left_to_the_layer_and_nothing_is_paced(self) -> None:
        self.sender.send(b"x" * (2 * PORTION))
        self.sender.register(self.producer, False)
        self.assertIs(self.layer.producer, self.producer)
        self.layer.room = 0
        self.sender.send(b"x" * (2 * PORTION))
        self.assertEqual(self.layer.sizes, [PORTION] * 4)
        self.sender.unregister()
        self.assertIsNone(self.layer.producer)

    def test_a_second_producer_is_an_error(self) -> None:
        self.sender.register(self.producer, True)
        self.assertRaises(AssertionError, self.sender.register, RecordingProducer(), True)

    def test_what_the_transport_calls_within_its_write_keeps_the_order(self) -> None:
        write = self.layer.write

        def reentrant(data: bytes) -> None:
            write(data)
            if len(self.layer.written) == 1:
                self.sender.send(b"behind")

        self.patch(self.layer, "write", reentrant)
        self.layer.room = 10
        self.sender.send(b"x" * (PORTION + 1))
        self.assertEqual(b"".join(self.layer.written), b"x" * (PORTION + 1) + b"behind")


class LayerTests(SynchronousTestCase):
    """What OpenSSL does not take is sent by the TLS layer, and so is all that follows."""

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def secured(self, mode: ModeName) -> tuple[End, ForeignPeer]:
        peer = foreign_client()
        end = End(mode, server_tls(), send=Send.RAW, clock=self.clock).secured_with(peer)
        return end, peer

    def test_the_order_stays(self) -> None:
        for mode in TLS_MODES:
            end, peer = self.secured(mode)
            end.stream.write(b"one")
            stopping = self.patch(
                TLSConnection, "encrypt_part", lambda _self, _data, at, _to: (at, b"")
            )
            end.stream.write(b"two")
            stopping.restore()
            end.stream.write(b"three")
            end.exchange_with(peer)
            self.assertEqual(peer.received, b"onetwothree")

    def test_what_the_layer_keeps_is_not_overtaken(self) -> None:
        """As in a renegotiation (TLS 1.2), when OpenSSL has to receive before it can send."""
        for mode in TLS_MODES:
            end, peer = self.secured(mode)
            stopping = self.patch(
                TLSConnection, "encrypt_part", lambda _self, _data, at, _to: (at, b"")
            )
            waiting = self.patch(TLSConnection, "send", want_read)
            end.stream.write(b"one")
            stopping.restore()
            end.stream.write(b"two")
            self.assertEqual(end.transport.take(), b"")
            waiting.restore()
            peer.write(b"go on")
            end.exchange_with(peer)
            self.assertEqual(peer.received, b"onetwo")

    def test_an_error_ends_the_connection(self) -> None:
        for mode in TLS_MODES:
            end, _peer = self.secured(mode)
            patches = [
                self.patch(TLSConnection, "encrypt_part", takes_nothing),
                self.patch(TLSConnection, "send", fail),
            ]
            end.stream.write(b"one")
            end.stream.write(b"two")
            self.assertEqual(end.transport.take(), b"")
            end.transport.turn()
            self.assertFalse(end.transport.connected)
            for patch in patches:
                patch.restore()


def want_read(*_: object) -> int:
    raise SSL.WantReadError


def fail(*_: object) -> int:
    raise SSL.Error([("SSL routines", "", "protocol is shutdown")])


def takes_nothing(_connection: object, _data: bytes, start: int, _end: int) -> tuple[int, bytes]:
    return start, b""
