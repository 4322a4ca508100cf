"""What every mode that encrypts promises about delivery on demand."""

from __future__ import annotations

from typing import ClassVar

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.support import ReadingRecorder, patch_reactor_clock
from tests.tls.memory_ends import End, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import Delivery, ModeName

THREE = (b"one", b"two", b"three")
END: list[object] = ["ended: clean", "lost: ConnectionDone"]


class PullContract(SynchronousTestCase):
    mode: ClassVar[ModeName]

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def reading(self, high_water: int = 1 << 16) -> tuple[End, ReadingRecorder, ForeignPeer]:
        """A server of ours and its client, secured; the log begins here."""
        application, peer = ReadingRecorder(), foreign_client()
        end = End(
            self.mode,
            server_tls(),
            delivery=Delivery.READABLE,
            application=application,
            high_water=high_water,
            clock=self.clock,
        ).secured_with(peer)
        end.log.clear()
        return end, application, peer

    def test_an_application_is_told_once_that_there_is_something(self) -> None:
        end, application, peer = self.reading()
        for record in THREE:
            peer.write(record)
            end.converse(peer)
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(end.stream.events, 0)
        self.assertEqual(application.source.read(5), b"onetw")
        self.assertEqual(application.source.read(), b"othree")
        self.assertEqual((end.stream.events, end.stream.bytes_in), (2, 11))
        peer.write(b"four")
        end.converse(peer)
        self.assertEqual(end.log, ["readable"])
        application.read_all()
        peer.write(b"five")
        end.converse(peer)
        self.assertEqual(end.log, ["readable", b"four", "read all", "readable"])

    def test_the_end_waits_until_all_has_been_read(self) -> None:
        end, application, peer = self.reading()
        peer.write(*THREE)
        peer.close()
        end.converse(peer)
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(application.source.read(), b"onetwothree")
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(application.source.read(), b"")
        self.assertEqual(end.log, ["readable", *END])

    def test_the_end_does_not_wait_for_an_application_that_has_read_all(self) -> None:
        end, application, peer = self.reading()
        application.on_readable = application.read_all
        peer.write(*THREE)
        peer.close()
        end.converse(peer)
        self.assertEqual(end.log, ["readable", b"onetwothree", "read all", *END])

    def test_the_wire_is_paused_at_high_water_and_resumed_at_half(self) -> None:
        end, application, peer = self.reading(high_water=10)
        peer.write(b"x" * 9)
        end.converse(peer)
        self.assertFalse(end.transport.paused)
        peer.write(b"y")
        end.converse(peer)
        self.assertTrue(end.transport.paused)
        peer.write(b"z" * 9)
        end.transport.deliver(peer.take())
        application.source.read(4)
        self.assertTrue(end.transport.paused)
        application.source.read(1)
        self.assertFalse(end.transport.paused)
        end.transport.turn()
        self.assertEqual(application.source.read(), b"xxxxy" + b"z" * 9)

    def test_nothing_is_lost_when_the_wire_is_lost_above_high_water(self) -> None:
        end, application, peer = self.reading(high_water=1)
        peer.write(b"one")
        end.converse(peer)
        for record in (b"two", b"three"):
            peer.write(record)
            end.transport.protocol.dataReceived(peer.take())
        peer.close()
        end.transport.protocol.dataReceived(peer.take())
        end.transport.lose(ConnectionLost())
        application.read_all()
        self.assertEqual(end.log, ["readable", b"onetwothree", *END, "read all"])

    def test_aborting_does_not_wait_for_what_has_not_been_read(self) -> None:
        end, _application, peer = self.reading()
        peer.write(*THREE)
        end.converse(peer)
        end.stream.abortConnection()
        end.transport.turn()
        self.assertEqual(end.log, ["readable", "ended: aborted by us", "lost: ConnectionLost"])

    def test_aborting_throws_away_what_has_not_been_read(self) -> None:
        end, application, peer = self.reading()
        peer.write(*THREE)
        peer.close()
        end.converse(peer)
        end.stream.abortConnection()
        self.assertEqual(application.source.read(), b"")
        self.assertEqual(end.log, ["readable", "ended: aborted by us", "lost: ConnectionAborted"])

    def test_a_rejected_connection_needs_no_application_that_can_be_told(self) -> None:
        end = End(self.mode, server_tls(), delivery=Delivery.READABLE, clock=self.clock)
        end.listener.application = None
        end.begin().converse(foreign_client())
        self.assertEqual(end.log, ["handshake completed", "secure", "insecure: rejected by us"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_an_application_that_cannot_be_told_is_rejected_and_named(self) -> None:
        end = End(self.mode, server_tls(), delivery=Delivery.READABLE, clock=self.clock)
        end.begin().converse(foreign_client())
        self.assertEqual(end.log, ["handshake completed", "secure", "insecure: rejected by us"])
        (failure,) = self.flushLoggedErrors(TypeError)
        self.assertIn("Recorder", str(failure.value))
