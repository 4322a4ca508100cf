from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.sender import LIST_SIZE, Sender


class FakeStream:
    """Records the calls."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.on_write: Callable[[], object] = lambda: None

    def write(self, data: bytes) -> None:
        self.log.append(data)
        self.on_write()

    def writeSequence(self, data: list[bytes]) -> None:
        self.log.append(data)
        self.on_write()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        self.log.append("register streaming" if streaming else "register pulling")

    def unregisterProducer(self) -> None:
        self.log.append("unregister")

    def loseConnection(self) -> None:
        self.log.append("lose")


class SenderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = FakeStream()
        self.ready: list[Sender] = []

    def sender(self, packets: int = 0, joined: bool = False) -> Any:
        sender: Any = Sender(
            b"packet", packets, self.ready.append, lambda: self.stream.log.append("closing"), joined
        )
        sender.makeConnection(self.stream)
        return sender

    def began(self, packets: int = 0, joined: bool = False) -> Any:
        sender = self.sender(packets, joined)
        sender.begin()
        self.ready.clear()
        self.stream.log.clear()
        return sender

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

    def test_each_packet_is_a_write_of_its_own(self) -> None:
        self.began().burst(3)
        self.assertEqual(self.stream.log, [b"packet"] * 3)

    def test_packets_that_are_joined_anyway_are_written_as_a_list(self) -> None:
        self.began(joined=True).burst(3)
        self.assertEqual(self.stream.log, [[b"packet"] * 3])

    def test_a_list_has_no_more_packets_than_are_left(self) -> None:
        sender = self.began(packets=5, joined=True)
        sender.burst(3)
        sender.burst(3)
        self.assertEqual(self.stream.log[:2], [[b"packet"] * 3, [b"packet"] * 2])
        self.assertTrue(sender.complete)

    def test_a_list_has_no_more_bytes_than_flow_control_lets_through(self) -> None:
        sender = self.began(joined=True)
        self.stream.on_write = sender.pauseProducing
        sender.burst(1 << 20)
        [packets] = self.stream.log
        assert isinstance(packets, list)
        self.assertEqual(len(packets), LIST_SIZE // len(b"packet"))

    def test_a_pause_ends_a_burst_at_once(self) -> None:
        sender = self.began()
        self.stream.on_write = sender.pauseProducing
        sender.burst(3)
        self.assertEqual(self.stream.log, [b"packet"])
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
        self.assertEqual(self.stream.log, [b"packet"] * 3 + ["unregister", "closing", "lose"])
        self.assertTrue(sender.complete)
        self.assertFalse(sender.can_send)

    def test_its_packets_are_counted_across_a_pause(self) -> None:
        sender = self.began(packets=2)
        self.stream.on_write = sender.pauseProducing
        sender.burst(5)
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
