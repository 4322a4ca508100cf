from __future__ import annotations

import contextlib
import socket
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport, Recorder, RecordingProducer
from tlsdemo.net import prompt_writing
from tlsdemo.net.prompt_writing import prompt_writer, send_queued

MUCH = bytes(range(256)) * (1 << 13)
"""More than a socket takes."""


class Socket:
    """One end of a pair of sockets as a transport of Twisted's, driven by hand."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
        self.reactor: Any = MemoryReactorClock()
        self.application = Recorder()
        self.transport: Any = Connection(ours, self.application, self.reactor)
        self.transport.connected = 1
        self.transport.startReading()
        writer = prompt_writer(self.transport)
        assert writer is not None
        self.write = writer

    @property
    def waits(self) -> bool:
        """Whether the reactor would send something."""
        return self.transport in self.reactor.getWriters()

    def turn(self) -> None:
        """Write if there is something to write, as the reactor does."""
        if self.waits:
            reason = IReadWriteDescriptor(self.transport).doWrite()
            if reason is not None:
                self.transport.connectionLost(Failure(reason))

    def arrived(self) -> bytes:
        """Return what has arrived at the peer, until it would have to wait."""
        received = b""
        with contextlib.suppress(BlockingIOError):
            while data := self.peer.recv(1 << 20):
                received += data
        return received

    def everything(self) -> bytes:
        """Return what arrives, until nothing is queued."""
        received = self.arrived()
        while self.waits:
            self.turn()
            received += self.arrived()
        return received

    def close(self) -> None:
        self.peer.close()
        if self.transport.connected:
            self.transport.connectionLost(Failure(ConnectionLost()))


class PromptWriterCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.socket = Socket()
        self.addCleanup(self.socket.close)

    def lost(self) -> list[object]:
        return [each for each in self.socket.application.log if not isinstance(each, bytes)]


class WritingTests(PromptWriterCase):
    def test_what_is_written_is_sent_at_once(self) -> None:
        self.socket.write(b"data")
        self.assertEqual(self.socket.arrived(), b"data")
        self.assertFalse(self.socket.waits)

    def test_nothing_is_not_sent(self) -> None:
        with mock.patch.object(Connection, "writeSomeData") as send:
            ours = Socket()
            self.addCleanup(ours.close)
            ours.write(b"")
        send.assert_not_called()

    def test_what_the_socket_does_not_take_is_queued_and_not_overtaken(self) -> None:
        self.socket.write(MUCH)
        self.assertTrue(self.socket.waits)
        first = self.socket.arrived()
        self.socket.write(b"more")
        self.assertEqual(self.socket.arrived(), b"")
        self.assertEqual(first + self.socket.everything(), MUCH + b"more")
        self.socket.write(b"and more")
        self.assertEqual(self.socket.arrived(), b"and more")

    def test_what_was_queued_before_is_not_overtaken(self) -> None:
        self.socket.transport.write(b"first, ")
        self.socket.write(b"second")
        self.assertEqual(self.socket.everything(), b"first, second")

    @settings(max_examples=40)
    @given(
        st.lists(
            st.tuples(
                st.integers(1, 100) | st.integers(1, 1 << 18),
                st.sampled_from(["at once", "queued"]),
                st.booleans(),
            ),
            max_size=12,
        )
    )
    def test_order_is_kept(self, writes: list[tuple[int, str, bool]]) -> None:
        ours = Socket()
        self.addCleanup(ours.close)
        sent = received = b""
        for number, (size, way, turn) in enumerate(writes):
            data = bytes([number]) * size
            sent += data
            (ours.write if way == "at once" else ours.transport.write)(data)
            if turn:
                received += ours.arrived()
                ours.turn()
        self.assertEqual(received + ours.everything(), sent)

    def test_a_producer_is_paused_as_ever_for_what_is_queued(self) -> None:
        producer = RecordingProducer()
        self.socket.transport.registerProducer(producer, True)
        self.socket.write(b"data")
        self.assertEqual(producer.log, [])
        self.socket.write(MUCH)
        self.assertEqual(producer.log, ["pause"])
        self.socket.everything()
        self.assertEqual(producer.log, ["pause", "resume"])

    def test_it_writes_below_tls(self) -> None:
        self.socket.transport.TLS = True
        self.socket.write(MUCH)
        self.socket.transport.TLS = False
        self.assertEqual(self.socket.everything(), MUCH)


class EndTests(PromptWriterCase):
    def test_what_was_written_is_sent_before_the_connection_is_closed(self) -> None:
        self.socket.write(MUCH)
        self.socket.transport.loseConnection()
        self.assertEqual(self.socket.everything(), MUCH)
        self.assertEqual(self.lost(), ["lost: ConnectionDone"])

    def test_nothing_is_sent_after_an_end(self) -> None:
        def finish(transport: Any) -> None:
            transport.loseWriteConnection()
            transport.doWrite()

        def lose(transport: Any) -> None:
            transport.connectionLost(Failure(ConnectionLost()))

        for end in (finish, Connection.abortConnection, lose):
            with mock.patch.object(Connection, "writeSomeData", return_value=0) as send:
                ours = Socket()
                self.addCleanup(ours.close)
                end(ours.transport)
                ours.write(b"data")
            self.assertNotIn(mock.call(b"data"), send.mock_calls)

    def test_a_lost_connection_is_reported_in_the_next_turn(self) -> None:
        self.socket.peer.close()
        self.socket.write(b"data")
        self.socket.write(b"more")
        self.assertEqual(self.lost(), [])
        self.socket.reactor.advance(0)
        self.assertEqual(self.lost(), ["lost: ConnectionLost"])
        self.assertEqual(self.socket.reactor.getDelayedCalls(), [])

    def test_what_arrived_before_the_loss_is_read_first_unless_that_is_paused(self) -> None:
        for paused, received in ((False, [b"last words"]), (True, [])):
            ours = Socket()
            ours.peer.send(b"last words")
            ours.peer.close()
            if paused:
                ours.transport.pauseProducing()
            ours.write(b"data")
            # Nothing may find an end in order until then.
            self.assertEqual(ours.reactor.getReaders(), [])
            ours.reactor.advance(0)
            self.assertEqual(ours.application.log, [*received, "lost: ConnectionLost"])

    def test_the_loss_is_reported_if_reading_fails(self) -> None:
        self.socket.peer.send(b"last words")
        self.socket.peer.close()
        self.socket.write(b"data")
        with mock.patch.object(self.socket.application, "dataReceived", side_effect=ValueError):
            self.assertRaises(ValueError, self.socket.reactor.advance, 0)
        self.assertEqual(self.lost(), ["lost: ConnectionLost"])

    def test_an_end_is_reported_once(self) -> None:
        self.socket.peer.close()
        self.socket.write(b"data")
        self.socket.transport.connectionLost(Failure(ConnectionAborted()))
        self.socket.reactor.advance(0)
        self.assertEqual(self.lost(), ["lost: ConnectionAborted"])


class QueuedTests(PromptWriterCase):
    def test_what_has_been_queued_is_sent_now(self) -> None:
        self.socket.transport.write(b"data")
        send_queued(self.socket.transport)
        self.assertEqual(self.socket.arrived(), b"data")
        self.assertFalse(self.socket.waits)

    def test_what_the_socket_does_not_take_stays_queued(self) -> None:
        self.socket.transport.write(MUCH)
        send_queued(self.socket.transport)
        self.assertTrue(self.socket.waits)
        self.assertEqual(self.socket.everything(), MUCH)

    def test_a_lost_connection_is_reported_in_the_next_turn_after_what_arrived_before(self) -> None:
        self.socket.peer.send(b"last words")
        self.socket.peer.close()
        self.socket.transport.write(b"data")
        send_queued(self.socket.transport)
        self.assertEqual(self.socket.application.log, [])
        self.socket.reactor.advance(0)
        self.assertEqual(self.socket.application.log, [b"last words", "lost: ConnectionLost"])

    def test_a_connection_that_is_closing_or_lost_is_left_to_the_reactor(self) -> None:
        self.socket.transport.write(b"data")
        self.socket.transport.loseConnection()
        send_queued(self.socket.transport)
        self.assertEqual(self.socket.arrived(), b"")
        self.assertEqual(self.socket.everything(), b"data")
        send_queued(self.socket.transport)
        self.assertEqual(self.lost(), ["lost: ConnectionDone"])

    def test_a_transport_without_a_socket_sends_as_it_always_does(self) -> None:
        transport = MemoryTransport()
        transport.write(b"data")
        send_queued(transport)
        self.assertEqual(transport.take(), b"data")


class ImpossibleTests(SynchronousTestCase):
    def test_a_transport_without_a_socket_has_none(self) -> None:
        self.assertIsNone(prompt_writer(MemoryTransport()))
        self.assertIsNone(prompt_writer(None))

    def test_there_is_none_if_twisteds_private_names_have_changed(self) -> None:
        ours = Socket()
        self.addCleanup(ours.close)
        self.patch(prompt_writing, "_NEEDED", (*prompt_writing._NEEDED, "_renamed"))
        self.assertIsNone(prompt_writer(ours.transport))
