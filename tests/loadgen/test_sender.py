from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.sender import Sender


class FakeStream:
    """Records the calls."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.on_write: Callable[[], object] = lambda: None
        self.writer: FakeWriter | None = None

    def record_writer(self) -> FakeWriter | None:
        return self.writer

    def write(self, data: bytes) -> None:
        self.log.append(data)
        self.on_write()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        self.log.append("register streaming" if streaming else "register pulling")

    def unregisterProducer(self) -> None:
        self.log.append("unregister")

    def loseConnection(self) -> None:
        self.log.append("lose")

    def abortConnection(self) -> None:
        self.log.append("abort")


class FakeWriter:
    """Writes records to the log of a stream."""

    def __init__(self, stream: FakeStream) -> None:
        self.stream = stream

    def write(self, data: bytes, times: int) -> None:
        self.stream.log.append((data, times))
        self.stream.on_write()

    def prefill(self, data: bytes, times: int) -> Callable[[], None]:
        self.stream.log.append(f"encrypt {times}")
        return lambda: self.write(data, times)


class SenderCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = FakeStream()
        self.ready: list[Sender] = []

    def sender(self, packets: int = 0, packet: bytes = b"packet", prefill: bool = False) -> Any:
        sender: Any = Sender(
            packet,
            packets,
            self.ready.append,
            lambda: self.stream.log.append("closing"),
            prefill,
        )
        sender.makeConnection(self.stream)
        return sender

    def began(self, packets: int = 0) -> Any:
        sender = self.sender(packets)
        sender.begin()
        self.ready.clear()
        self.stream.log.clear()
        return sender


class SenderTests(SenderCase):
    def test_it_sends_nothing_before_it_begins(self) -> None:
        sender = self.sender()
        self.assertFalse(sender.can_send)
        sender.burst(3)
        self.assertEqual(self.stream.log, [])

    def test_it_begins_as_a_producer_that_is_ready(self) -> None:
        sender = self.sender()
        sender.begin()
        self.assertEqual(self.stream.log, ["register streaming"])
        self.assertEqual(self.ready, [sender])
        self.assertTrue(sender.can_send)

    def test_the_packets_of_a_burst_are_joined(self) -> None:
        self.began().burst(3)
        self.assertEqual(self.stream.log, [b"packet" * 3])

    def test_a_pause_ends_a_burst_at_once(self) -> None:
        packet = b"x" * 40_000
        sender = self.sender(packet=packet)
        sender.begin()
        self.stream.log.clear()
        self.stream.on_write = sender.pauseProducing
        sender.burst(3)
        self.assertEqual(self.stream.log, [packet])
        self.assertFalse(sender.can_send)

    def test_a_paused_sender_does_not_write(self) -> None:
        sender = self.began()
        sender.pauseProducing()
        sender.burst(3)
        self.assertEqual(self.stream.log, [])

    def test_a_resumed_sender_is_ready_again(self) -> None:
        sender = self.began()
        sender.pauseProducing()
        sender.resumeProducing()
        self.assertEqual(self.ready, [sender])
        sender.burst(1)
        self.assertEqual(self.stream.log, [b"packet"])

    def test_a_sender_that_is_resumed_before_it_begins_is_not_ready(self) -> None:
        self.sender().resumeProducing()
        self.assertEqual(self.ready, [])

    def test_after_its_packets_it_closes_cleanly(self) -> None:
        sender = self.began(packets=3)
        sender.burst(2)
        self.assertFalse(sender.complete)
        sender.burst(2)
        written = [b"packet" * 2, b"packet"]
        self.assertEqual(self.stream.log, [*written, "unregister", "closing", "lose"])
        self.assertTrue(sender.complete)
        self.assertFalse(sender.can_send)

    def test_its_packets_are_counted_across_a_pause(self) -> None:
        sender = self.began(packets=2)
        self.stream.on_write = sender.pauseProducing
        sender.burst(1)
        sender.resumeProducing()
        sender.burst(5)
        self.assertEqual(self.stream.log.count(b"packet"), 2)
        self.assertTrue(sender.complete)

    def test_it_can_be_finished_at_any_time(self) -> None:
        sender = self.began()
        sender.burst(1)
        sender.finish()
        sender.burst(1)
        self.assertEqual(self.stream.log, [b"packet", "unregister", "closing", "lose"])

    def test_a_sender_that_never_began_can_be_finished(self) -> None:
        sender = self.sender()
        sender.finish()
        self.assertEqual(self.stream.log, ["closing", "lose"])
        self.assertTrue(sender.complete)

    def test_it_finishes_only_once(self) -> None:
        sender = self.began(packets=1)
        sender.burst(1)
        self.stream.log.clear()
        sender.finish()
        sender.burst(1)
        self.assertEqual(self.stream.log, [])

    def test_a_finished_sender_does_not_begin_again(self) -> None:
        sender = self.sender()
        sender.finish()
        self.stream.log.clear()
        sender.begin()
        self.assertEqual(self.stream.log, [])
        self.assertFalse(sender.can_send)

    def test_after_stop_producing_nothing_is_written(self) -> None:
        sender = self.began()
        sender.stopProducing()
        sender.burst(1)
        self.assertEqual(self.stream.log, [])

    def test_what_the_server_sends_is_ignored(self) -> None:
        sender = self.began()
        sender.dataReceived(b"answer")
        self.assertEqual(self.stream.log, [])

    def test_after_the_connection_is_lost_nothing_happens(self) -> None:
        sender = self.began()
        sender.connectionLost()
        for act in (sender.begin, sender.finish, lambda: sender.burst(1), sender.resumeProducing):
            act()
        self.assertEqual(self.stream.log, [])
        self.assertEqual(self.ready, [])
        self.assertFalse(sender.complete)


class RecordCase(SenderCase):
    """On a stream that takes many records at once."""

    def setUp(self) -> None:
        super().setUp()
        self.stream.writer = FakeWriter(self.stream)


class RecordTests(RecordCase):
    def test_a_burst_is_written_at_once(self) -> None:
        sender = self.began(packets=5)
        sender.burst(3)
        sender.burst(3)
        written = [(b"packet", 3), (b"packet", 2)]
        self.assertEqual(self.stream.log, [*written, "unregister", "closing", "lose"])

    def test_large_packets_are_written_one_by_one(self) -> None:
        sender = self.sender(packet=b"x" * 40_000)
        sender.begin()
        self.stream.log.clear()
        self.stream.on_write = sender.pauseProducing
        sender.burst(3)
        self.assertEqual(self.stream.log, [(b"x" * 40_000, 1)])

    def test_after_the_connection_is_lost_nothing_is_written(self) -> None:
        sender = self.began()
        sender.connectionLost()
        sender.burst(1)
        self.assertEqual(self.stream.log, [])


class PrefillTests(RecordCase):
    def prefilled(self) -> Any:
        sender = self.sender(packets=5, prefill=True)
        self.assertEqual(self.stream.log, ["encrypt 5"])
        self.stream.log.clear()
        return sender

    def test_all_is_sent_at_once_and_the_connection_closed(self) -> None:
        sender = self.prefilled()
        sender.begin()
        written = ["register streaming", (b"packet", 5)]
        self.assertEqual(self.stream.log, [*written, "unregister", "closing", "lose"])
        self.assertTrue(sender.complete)
        self.assertEqual(self.ready, [])

    def test_it_closes_only_when_the_wire_has_taken_all(self) -> None:
        sender = self.prefilled()
        self.stream.on_write = sender.pauseProducing
        sender.begin()
        self.assertFalse(sender.complete)
        self.stream.log.clear()
        sender.resumeProducing()
        self.assertEqual(self.stream.log, ["unregister", "closing", "lose"])

    def test_what_is_not_sent_cannot_be_closed_in_order(self) -> None:
        sender = self.prefilled()
        sender.finish()
        self.assertEqual(self.stream.log, ["abort"])
        self.assertFalse(sender.complete)

    def test_without_records_packets_are_sent_as_ever(self) -> None:
        self.stream.writer = None
        sender = self.sender(packets=2, prefill=True)
        sender.begin()
        sender.burst(2)
        self.assertIn(b"packetpacket", self.stream.log)
