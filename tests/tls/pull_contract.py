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
        """A tlsdemo server and its client after the handshake, with an empty log."""
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

    def test_an_application_is_notified_of_data_once(self) -> None:
        end, application, peer = self.reading()
        for record in THREE:
            peer.write(record)
            end.exchange_with(peer)
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(end.stream.events, 0)
        self.assertEqual(application.source.read(5), b"onetw")
        self.assertEqual(application.source.read(), b"othree")
        self.assertEqual((end.stream.events, end.stream.bytes_in), (2, 11))
        peer.write(b"four")
        end.exchange_with(peer)
        self.assertEqual(end.log, ["readable"])
        application.read_all()
        peer.write(b"five")
        end.exchange_with(peer)
        self.assertEqual(end.log, ["readable", b"four", "read all", "readable"])

    def test_the_end_is_reported_after_everything_has_been_read(self) -> None:
        end, application, peer = self.reading()
        peer.write(*THREE)
        peer.close()
        end.exchange_with(peer)
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(application.source.read(), b"onetwothree")
        self.assertEqual(end.log, ["readable"])
        self.assertEqual(application.source.read(), b"")
        self.assertEqual(end.log, ["readable", *END])

    def test_the_end_is_reported_at_once_if_everything_has_been_read(self) -> None:
        end, application, peer = self.reading()
        application.on_readable = application.read_all
        peer.write(*THREE)
        peer.close()
        end.exchange_with(peer)
        self.assertEqual(end.log, ["readable", b"onetwothree", "read all", *END])

    def test_the_wire_is_paused_at_the_high_water_mark_and_resumed_at_half(self) -> None:
        end, application, peer = self.reading(high_water=10)
        peer.write(b"x" * 9)
        end.exchange_with(peer)
        self.assertFalse(end.transport.paused)
        peer.write(b"y")
        end.exchange_with(peer)
        self.assertTrue(end.transport.paused)
        peer.write(b"z" * 9)
        end.transport.deliver(peer.take())
        application.source.read(4)
        self.assertTrue(end.transport.paused)
        application.source.read(1)
        self.assertFalse(end.transport.paused)
        end.transport.turn()
        self.assertEqual(application.source.read(), b"xxxxy" + b"z" * 9)

    def test_losing_the_wire_above_the_high_water_mark_loses_no_data(self) -> None:
        end, application, peer = self.reading(high_water=1)
        peer.write(b"one")
        end.exchange_with(peer)
        for record in (b"two", b"three"):
            peer.write(record)
            end.transport.protocol.dataReceived(peer.take())
        peer.close()
        end.transport.protocol.dataReceived(peer.take())
        end.transport.lose(ConnectionLost())
        application.read_all()
        self.assertEqual(end.log, ["readable", b"onetwothree", *END, "read all"])

    def test_aborting_does_not_wait_for_unread_data(self) -> None:
        end, _application, peer = self.reading()
        peer.write(*THREE)
        end.exchange_with(peer)
        end.stream.abortConnection()
        end.transport.turn()
        self.assertEqual(end.log, ["readable", "ended: aborted by us", "lost: ConnectionLost"])

    def test_aborting_discards_unread_data(self) -> None:
        end, application, peer = self.reading()
        peer.write(*THREE)
        peer.close()
        end.exchange_with(peer)
        end.stream.abortConnection()
        self.assertEqual(application.source.read(), b"")
        self.assertEqual(end.log, ["readable", "ended: aborted by us", "lost: ConnectionAborted"])

    def test_a_rejected_connection_needs_no_application_with_readable(self) -> None:
        end = End(self.mode, server_tls(), delivery=Delivery.READABLE, clock=self.clock)
        end.listener.application = None
        end.begin().exchange_with(foreign_client())
        self.assertEqual(end.log, ["handshake completed", "secure", "insecure: rejected by us"])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_an_application_without_readable_is_rejected_and_named_in_the_log(self) -> None:
        end = End(self.mode, server_tls(), delivery=Delivery.READABLE, clock=self.clock)
        end.begin().exchange_with(foreign_client())
        self.assertEqual(end.log, ["handshake completed", "secure", "insecure: rejected by us"])
        (failure,) = self.flushLoggedErrors(TypeError)
        self.assertIn("Recorder", str(failure.value))
