from __future__ import annotations

import contextlib
import os
import socket

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fake_socket import Wire
from tests.support import MemoryTransport, Recorder
from tlsdemo.net.reset_after_flush import reset_after_flush, unreceived


class CuttingOff(SynchronousTestCase):
    def setUp(self) -> None:
        self.application = Recorder()
        self.wire = Wire(self.application)
        self.clock = Clock()
        self.left = 0

    def reset_after_flush(self) -> None:
        reset_after_flush(self.wire, self.clock, lambda transport: self.left)

    def test_waits_until_our_own_buffer_is_empty(self) -> None:
        self.wire.write(b"all of it")
        self.reset_after_flush()
        self.assertFalse(self.wire.aborted)
        self.assertEqual(self.wire.take(), b"all of it")
        self.assertTrue(self.wire.aborted)

    def test_needs_nothing_to_have_been_written(self) -> None:
        self.reset_after_flush()
        self.wire.take()
        self.assertTrue(self.wire.aborted)

    def test_waits_until_the_other_side_has_received_what_the_system_keeps(self) -> None:
        self.left = 9
        self.wire.write(b"all of it")
        self.reset_after_flush()
        self.wire.take()
        for _ in range(3):
            self.clock.advance(0.05)
            self.assertFalse(self.wire.aborted)
        self.left = 0
        self.clock.advance(0.05)
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ends_with_the_connection(self) -> None:
        self.left = 9
        self.reset_after_flush()
        self.wire.take()
        self.wire.write(b"")
        self.wire.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ends_with_a_connection_that_has_not_even_taken_what_we_have(self) -> None:
        self.wire.write(b"all of it")
        self.reset_after_flush()
        self.wire.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aborts_at_once_what_has_no_buffer_to_be_asked_for(self) -> None:
        transport = MemoryTransport()
        reset_after_flush(transport, self.clock)
        self.assertTrue(transport.aborted)


class WhatTheSystemKeeps(SynchronousTestCase):
    def test_is_what_the_other_side_has_no_room_for(self) -> None:
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

    def test_is_nothing_where_it_cannot_be_asked_for(self) -> None:
        self.assertEqual(unreceived(Wire(Recorder())), 0)
        with open(os.devnull) as no_socket:
            self.assertEqual(unreceived(no_socket), 0)
