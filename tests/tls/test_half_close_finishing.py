"""Our end finishes first: ``loseWriteConnection``, in every mode."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support import (
    MemoryTransport,
    Recorder,
    RecordingListener,
    RecordingProducer,
    exchange,
    patch_reactor_clock,
)
from tests.tls.half_closeable import ENDED, TLS_MODES, HalfCloseable
from tests.tls.memory_ends import End, PairEnd, client_tls, foreign_client, server_tls
from tlsdemo.tls import ModeName, Send, StreamSetup, Timeouts, TransportOptions
from tlsdemo.tls.clear_stream import ClearStream


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

    def test_an_application_is_told_when_it_has_finished(self) -> None:
        for mode in TLS_MODES:
            application = HalfCloseable()
            peer = foreign_client()
            end = End(mode, server_tls(), application=application, clock=self.clock)
            end.secured_with(peer).log.clear()
            end.stream.loseWriteConnection()
            self.assertEqual(end.log, ["finished"])
            self.assertFalse(end.stream.disconnecting)
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, ["finished", *ENDED])

    def test_a_producer_writes_everything_before_our_end_finishes(self) -> None:
        for mode in TLS_MODES:
            for send in Send:
                for peer_first in (True, False):
                    self.produce(mode, send, peer_first)

    def produce(self, mode: ModeName, send: Send, peer_first: bool) -> None:
        application = HalfCloseable()
        peer = foreign_client()
        end = End(mode, server_tls(), application=application, send=send, clock=self.clock)
        end.secured_with(peer).log.clear()
        end.stream.registerProducer(RecordingProducer(), True)
        end.stream.loseWriteConnection()
        if peer_first:
            peer.close()
            end.exchange_with(peer)
        end.stream.write(b"all of it")
        self.assertEqual(end.log, [])
        end.stream.unregisterProducer()
        end.stream.unregisterProducer()
        end.stream.write(b"dropped")
        self.clock.advance(0)
        end.exchange_with(peer)
        self.assertEqual((peer.received, peer.closed), (b"all of it", True), (mode, send))
        self.assertEqual(end.stream.bytes_out, len(b"all of it"))
        self.assertEqual(end.log, ENDED if peer_first else ["finished"])

    def test_our_end_can_be_closed_aborted_or_lost_afterwards(self) -> None:
        for call, expected in (
            ("loseConnection", "ended: closing timeout"),
            ("abortConnection", "ended: aborted by us"),
            ("", "ended: idle"),
        ):
            peer = foreign_client()
            end = End(
                ModeName.PAIR, server_tls(), timeouts=Timeouts(0, 0, 8, 2), clock=self.clock
            ).secured_with(peer)
            end.stream.loseWriteConnection()
            if call:
                getattr(end.stream, call)()
            for _ in range(5):
                self.clock.advance(2)
            end.transport.turn()
            self.assertIn(expected, end.log)

    def test_finishing_after_the_peer_closes(self) -> None:
        for mode in TLS_MODES:
            application = HalfCloseable()
            application.keeps_open = True
            peer = foreign_client()
            end = End(mode, server_tls(), application=application, clock=self.clock)
            end.secured_with(peer).log.clear()
            peer.close()
            end.exchange_with(peer)
            end.stream.loseWriteConnection()
            self.assertTrue(end.stream.disconnecting)
            end.exchange_with(peer)
            self.assertEqual(peer.received, b"answer")
            self.assertEqual(end.log, ["peer finished", *ENDED])

    def test_a_fin_without_a_goodbye_is_still_a_truncation(self) -> None:
        for mode in TLS_MODES:
            peer = foreign_client()
            end = End(mode, server_tls(), clock=self.clock).secured_with(peer)
            end.stream.loseWriteConnection()
            end.transport.finish()
            self.assertIn("ended: truncated", end.log)

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
        application = HalfCloseable()
        stream, wire = self.stream(application)
        stream.write(b"all of it")
        stream.loseWriteConnection()
        stream.write(b"dropped")
        self.assertEqual((wire.take(), stream.bytes_out), (b"all of it", 9))
        wire.turn()
        self.assertTrue(wire.finished)
        wire.deliver(b"late")
        self.assertEqual(application.log, ["finished", b"late"])
        wire.finish()
        self.assertEqual(application.log, ["finished", b"late", *ENDED])

    def test_another_application_can_finish_first_too(self) -> None:
        application = Recorder()
        stream, wire = self.stream(application)
        stream.loseWriteConnection()
        wire.deliver(b"late")
        wire.finish()
        self.assertEqual(application.log, [b"late", *ENDED])

    def test_a_producer_writes_everything_before_our_end_finishes(self) -> None:
        stream, wire = self.stream(Recorder())
        stream.registerProducer(RecordingProducer(), True)
        stream.loseWriteConnection()
        stream.write(b"all of it")
        stream.unregisterProducer()
        stream.write(b"dropped")
        self.assertEqual((wire.take(), stream.bytes_out), (b"all of it", 9))

    def test_our_end_can_be_closed_aborted_or_lost_afterwards(self) -> None:
        for call, expected in (
            ("loseConnection", "ended: clean"),
            ("abortConnection", "ended: aborted by us"),
        ):
            clock = Clock()
            end = End(ModeName.CLEAR, server_tls(), timeouts=Timeouts(0, 0, 8, 2), clock=clock)
            end.begin()
            end.stream.loseWriteConnection()
            getattr(end.stream, call)()
            end.transport.turn()
            self.assertIn(expected, end.log)
            self.assertEqual(clock.getDelayedCalls(), [])

    def test_nothing_is_counted_that_is_written_after_closing(self) -> None:
        for producing in (False, True):
            stream, wire = self.stream(Recorder())
            stream.write(b"one")
            if producing:
                stream.registerProducer(RecordingProducer(), True)
            stream.loseConnection()
            stream.unregisterProducer()
            stream.write(b"two")
            self.assertEqual((wire.take(), stream.bytes_out), (b"one", 3))
