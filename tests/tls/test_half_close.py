"""A peer that has finished sending still gets the answer, in every mode and delivery."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.support import (
    MemoryTransport,
    Recorder,
    RecordingListener,
    exchange,
    patch_reactor_clock,
)
from tests.tls.memory_ends import End, ForeignPeer, PairEnd, client_tls, foreign_client, server_tls
from tlsdemo.tls import Delivery, ModeName, Send, StreamSetup, Timeouts, TransportOptions
from tlsdemo.tls.clear_stream import ClearStream
from tlsdemo.tls.pull import PullSource

TLS_MODES = (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED)
ENDED = ["ended: clean", "lost: ConnectionDone"]


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    """Answers when its peer has finished, and closes unless it has more to say."""

    keeps_open = False

    def readConnectionLost(self) -> None:
        self.log.append("peer finished")
        self.answer(b"answer")
        if not self.keeps_open:
            self.close()

    def answer(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def close(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        raise AssertionError("TLS never calls this")


class PullingHalfCloseable(HalfCloseable):
    """One that reads when it is told to."""

    source: PullSource | None = None

    def readable(self, source: PullSource) -> None:
        self.source = source

    def read(self) -> None:
        assert self.source is not None
        while data := self.source.read():
            self.log.append(data)


class HalfCloseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def end(
        self, mode: ModeName, application: HalfCloseable, **options: object
    ) -> tuple[End, ForeignPeer]:
        peer = foreign_client()
        end = End(mode, server_tls(), application=application, clock=self.clock, **options)  # type: ignore[arg-type]
        end.secured_with(peer)
        end.log.clear()
        return end, peer

    def test_an_application_answers_after_the_goodbye(self) -> None:
        for mode in TLS_MODES:
            for delivery in (Delivery.RECORD, Delivery.COALESCED):
                for send in Send:
                    end, peer = self.end(mode, HalfCloseable(), delivery=delivery, send=send)
                    peer.write(b"request")
                    peer.close()
                    end.transport.deliver(peer.take())
                    self.assertEqual(end.log[:2], [b"request", "peer finished"])
                    end.transport.finish()
                    end.exchange_with(peer)
                    self.assertEqual(peer.received, b"answer", (mode, delivery, send))
                    self.assertEqual(end.log[2:], ENDED)

    def test_it_may_take_its_time_whatever_the_wire_does(self) -> None:
        for mode in TLS_MODES:
            application = HalfCloseable()
            application.keeps_open = True
            end, peer = self.end(mode, application)
            peer.close()
            end.exchange_with(peer)
            for _ in range(2):
                end.transport.finish()
            self.assertFalse(end.stream.disconnecting)
            application.answer(b", and more")
            application.close()
            end.exchange_with(peer)
            self.assertEqual(peer.received, b"answer, and more")
            self.assertEqual(end.log, ["peer finished", *ENDED])

    def test_it_is_told_once_it_has_read_everything(self) -> None:
        for mode in TLS_MODES:
            application = PullingHalfCloseable()
            end, peer = self.end(mode, application, delivery=Delivery.READABLE)
            peer.write(b"request")
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, [])
            application.read()
            end.exchange_with(peer)
            self.assertEqual(end.log, [b"request", "peer finished", *ENDED])
            self.assertEqual(peer.received, b"answer")

    def test_one_that_has_read_everything_is_told_at_once(self) -> None:
        end, peer = self.end(ModeName.PAIR, PullingHalfCloseable(), delivery=Delivery.READABLE)
        peer.close()
        end.exchange_with(peer)
        self.assertEqual(end.log, ["peer finished", *ENDED])

    def test_what_a_paused_application_has_not_got_comes_first(self) -> None:
        for mode in TLS_MODES:
            end, peer = self.end(mode, HalfCloseable())
            end.stream.pauseProducing()
            peer.write(b"request")
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, [])
            end.stream.resumeProducing()
            # What had arrived while it was paused comes with the next turn.
            end.transport.turn()
            end.exchange_with(peer)
            self.assertEqual(end.log, [b"request", "peer finished", *ENDED])

    def test_any_other_application_is_closed_as_twisted_does(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), clock=self.clock).secured_with(peer)
            end.log.clear()
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, ENDED)

    def test_the_idle_timeout_bounds_it(self) -> None:
        application = HalfCloseable()
        application.keeps_open = True
        end, peer = self.end(ModeName.PAIR, application, timeouts=Timeouts(0, 0, 8, 2))
        peer.close()
        end.exchange_with(peer)
        for _ in range(5):
            self.clock.advance(2)
        end.transport.turn()
        self.assertIn("ended: idle", end.log)

    def test_a_fin_without_a_goodbye_is_a_truncation(self) -> None:
        for mode in TLS_MODES:
            end, peer = self.end(mode, HalfCloseable())
            peer.write(b"half")
            end.transport.deliver(peer.take())
            end.transport.finish()
            self.assertEqual(end.log[:2], [b"half", "ended: truncated"])

    def test_a_reset_after_the_goodbye_truncates_nothing(self) -> None:
        application = HalfCloseable()
        application.keeps_open = True
        end, peer = self.end(ModeName.STARTTLS, application)
        peer.close()
        end.exchange_with(peer)
        end.transport.lose(ConnectionLost())
        self.assertEqual(end.log, ["peer finished", *ENDED])


class FinishingTests(SynchronousTestCase):
    """``loseWriteConnection``: our end finishes first."""

    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def test_our_end_still_receives(self) -> None:
        for mode in TLS_MODES:
            for send in Send:
                peer = foreign_client()
                end = End(mode, server_tls(), send=send, clock=self.clock).secured_with(peer)
                end.log.clear()
                end.stream.write(b"all of it")
                end.stream.loseWriteConnection()
                end.stream.loseWriteConnection()
                end.stream.write(b"dropped")
                peer.receive(end.transport.take())
                self.assertEqual((peer.received, peer.closed), (b"all of it", True))
                peer.write(b"late")
                end.transport.deliver(peer.take())
                self.assertEqual(end.log, [b"late"])
                self.assertEqual(end.stream.bytes_out, len(b"all of it"))
                peer.close()
                end.exchange_with(peer)
                self.assertEqual(end.log, [b"late", *ENDED])

    def test_two_ends_finish_one_after_the_other(self) -> None:
        server, client = PairEnd(server_tls()), PairEnd(client_tls())
        for end in (server, client):
            end.begin()
        exchange(server.transport, client.transport)
        client.pair.cleartext.loseWriteConnection()
        exchange(server.transport, client.transport)
        for end in (server, client):
            self.assertEqual(end.log[-1], "lost: ConnectionDone")


class ClearHalfCloseTests(SynchronousTestCase):
    """The same without TLS: a FIN is the goodbye."""

    def stream(self, application: Recorder) -> tuple[ClearStream, MemoryTransport]:
        listener = RecordingListener(application.log, application)
        stream = ClearStream(StreamSetup(listener, TransportOptions()))
        wire = MemoryTransport(stream)
        stream.makeConnection(wire)
        application.log.clear()
        return stream, wire

    def test_an_application_answers_after_the_fin(self) -> None:
        application = HalfCloseable()
        _, wire = self.stream(application)
        wire.deliver(b"request")
        wire.finish()
        self.assertEqual(wire.take(), b"answer")
        wire.turn()
        self.assertEqual(application.log, [b"request", "peer finished", *ENDED])

    def test_it_can_be_aborted_or_lost(self) -> None:
        for end in ("abort", "lose"):
            application = HalfCloseable()
            application.keeps_open = True
            stream, wire = self.stream(application)
            wire.finish()
            self.assertFalse(stream.disconnecting)
            if end == "abort":
                stream.abortConnection()
                wire.turn()
            else:
                wire.lose(ConnectionDone())
            self.assertIn("ended: ", str(application.log[1]))

    def test_any_other_application_loses_its_connection(self) -> None:
        application = Recorder()
        _, wire = self.stream(application)
        wire.finish()
        self.assertEqual(application.log, ENDED)

    def test_our_end_can_finish_first(self) -> None:
        application = Recorder()
        stream, wire = self.stream(application)
        stream.loseWriteConnection()
        stream.writeConnectionLost()
        self.assertTrue(wire.finished)
        wire.deliver(b"late")
        self.assertEqual(application.log, [b"late"])

    def test_nothing_is_counted_that_is_written_after_closing(self) -> None:
        stream, wire = self.stream(Recorder())
        stream.write(b"one")
        stream.loseConnection()
        stream.write(b"two")
        self.assertEqual((wire.take(), stream.bytes_out), (b"one", 3))
