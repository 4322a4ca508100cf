"""A peer that has finished sending still gets the answer, in every mode and delivery."""

from __future__ import annotations

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.support import RecordingProducer, patch_reactor_clock
from tests.tls.half_closeable import ENDED, TLS_MODES, HalfCloseable, PullingHalfCloseable
from tests.tls.memory_ends import End, ForeignPeer, foreign_client, server_tls
from tlsdemo.tls import Delivery, ModeName, Send, Timeouts


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

    def test_what_another_application_has_answered_is_sent_first(self) -> None:
        for mode in TLS_MODES:
            for send in Send:
                peer = foreign_client()
                end = End(mode, server_tls(), send=send, clock=self.clock).secured_with(peer)
                end.application.on_data = end.stream.write
                peer.write(b"echoed")
                peer.close()
                end.exchange_with(peer)
                end.stream.write(b"dropped")
                self.clock.advance(0)
                end.exchange_with(peer)
                self.assertEqual(peer.received, b"echoed", (mode, send))
                self.assertEqual(end.stream.bytes_out, len(b"echoed"))
                self.assertEqual(end.log[-2:], ENDED)

    def test_a_producer_writes_everything_after_the_goodbye(self) -> None:
        for mode in TLS_MODES:
            for send in Send:
                for closes_first in (True, False):
                    application = HalfCloseable()
                    end, peer = self.end(mode, application, send=send)
                    end.stream.registerProducer(RecordingProducer(), True)
                    if closes_first:
                        end.stream.loseConnection()
                    peer.close()
                    end.transport.deliver(peer.take())
                    end.transport.finish()
                    end.stream.write(b", the rest")
                    end.stream.unregisterProducer()
                    end.stream.write(b"dropped")
                    self.clock.advance(0)
                    end.exchange_with(peer)
                    answer = b", the rest" if closes_first else b"answer, the rest"
                    self.assertEqual(peer.received, answer, (mode, send))
                    self.assertEqual(end.stream.bytes_out, len(answer))
                    self.assertEqual(end.log[-2:], ENDED)

    def test_one_that_is_aborted_before_it_has_read_everything_is_not_told(self) -> None:
        end, peer = self.end(ModeName.PAIR, PullingHalfCloseable(), delivery=Delivery.READABLE)
        peer.write(b"request")
        peer.close()
        end.exchange_with(peer)
        end.stream.abortConnection()
        end.transport.turn()
        self.assertNotIn("peer finished", end.log)

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
