from __future__ import annotations

import contextlib
import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.support import MemoryTransport, Recorder
from tlsdemo.net.reset_after_flush import reset_after_flush, unreceived


class ResetAfterFlush(SynchronousTestCase):
    def setUp(self) -> None:
        self.application = Recorder()
        self.wire = Wire(self.application)
        self.clock = Clock()
        self.queued = 0

    def reset(self) -> None:
        reset_after_flush(self.wire, self.clock, lambda transport: self.queued)

    def test_waits_until_the_transports_buffer_is_empty(self) -> None:
        self.wire.write(b"all of it")
        self.reset()
        self.assertFalse(self.wire.aborted)
        self.assertEqual(self.wire.take(), b"all of it")
        self.assertTrue(self.wire.aborted)

    def test_works_if_nothing_was_written(self) -> None:
        self.reset()
        self.wire.take()
        self.assertTrue(self.wire.aborted)

    def test_waits_until_the_peer_has_received_the_send_queue(self) -> None:
        self.queued = 9
        self.wire.write(b"all of it")
        self.reset()
        self.wire.take()
        for _ in range(3):
            self.clock.advance(0.05)
            self.assertFalse(self.wire.aborted)
        self.queued = 0
        self.clock.advance(0.05)
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stops_polling_when_the_connection_is_lost(self) -> None:
        self.queued = 9
        self.reset()
        self.wire.take()
        self.wire.write(b"")
        self.wire.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_does_not_poll_if_the_connection_is_lost_before_the_buffer_is_empty(self) -> None:
        self.wire.write(b"all of it")
        self.reset()
        self.wire.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aborts_a_transport_without_a_descriptor_at_once(self) -> None:
        transport = MemoryTransport()
        reset_after_flush(transport, self.clock)
        self.assertTrue(transport.aborted)


class Unreceived(SynchronousTestCase):
    def test_is_what_the_peer_has_no_room_for(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            theirs, _ = listener.accept()
        with ours, theirs:
            self.assertEqual(unreceived(ours), 0)
            ours.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    ours.send(bytes(1 << 16))
            self.assertGreater(unreceived(ours), 0)

    def test_is_0_if_the_system_does_not_know(self) -> None:
        self.assertEqual(unreceived(Wire(Recorder())), 0)
        with open(os.devnull) as no_socket:
            self.assertEqual(unreceived(no_socket), 0)
