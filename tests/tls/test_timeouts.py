from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support import ReadingRecorder, patch_reactor_clock
from tests.tls.memory_ends import ForeignPeer, foreign_client, server_tls
from tests.tls.negotiating_end import SECURED, NegotiatingEnd
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.starttls.line import LineServer
from tlsdemo.starttls.smtp import SmtpServer
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer, Timeouts

TIMEOUTS = Timeouts(plain=6, handshake=7, idle=8, closing=9)
ENCRYPTING = (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED)


class PhaseTimerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.moved = 0
        self.rested = 0
        self.expired: list[str] = []
        self.timer = self.of(TIMEOUTS)

    def of(self, timeouts: Timeouts) -> PhaseTimer:
        timer = PhaseTimer(self.clock, timeouts)
        timer.target = self
        return timer

    @property
    def transferred(self) -> int:
        return self.moved

    def rest(self) -> None:
        self.rested += 1

    def abort(self, close_reason: CloseReason) -> None:
        self.expired.append(str(close_reason))

    def test_each_phase_has_a_timeout_with_its_own_cause(self) -> None:
        for phase, seconds, close_reason in (
            (ConnectionPhase.PLAIN, 6, "timeout before TLS: after 6 s"),
            (ConnectionPhase.HANDSHAKE, 7, "handshake timeout: after 7 s"),
            (ConnectionPhase.OPEN, 8, "idle: after 8 s"),
            (ConnectionPhase.CLOSING, 9, "closing timeout: after 9 s"),
        ):
            self.setUp()
            self.timer.enter(phase)
            self.assertEqual(self.timer.phase, phase)
            self.clock.pump([0.5] * (2 * seconds - 1))
            self.assertEqual(self.expired, [])
            self.clock.advance(0.5)
            self.assertEqual(self.expired, [close_reason])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_connection_that_is_idle_rests_once(self) -> None:
        """And again, after it has moved and is idle again."""
        self.timer.enter(ConnectionPhase.OPEN)
        self.clock.advance(2)
        self.assertEqual(self.rested, 1)
        self.clock.advance(2)
        self.assertEqual(self.rested, 1)
        self.moved += 1
        self.clock.advance(2)
        self.assertEqual(self.rested, 1)
        self.clock.advance(2)
        self.assertEqual(self.rested, 2)
        self.assertEqual(self.expired, [])

    def test_there_are_no_delayed_calls_without_timeouts(self) -> None:
        for phase in ConnectionPhase:
            self.of(NO_TIMEOUTS).enter(phase)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_timeout_is_cancelled_when_the_connection_is_over(self) -> None:
        for phase in ConnectionPhase:
            timer = self.of(TIMEOUTS)
            timer.enter(phase)
            timer.enter(ConnectionPhase.OVER)
            self.assertIsNone(timer.target)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_each_phase_starts_its_own_timeout(self) -> None:
        for phase in (
            ConnectionPhase.PLAIN,
            ConnectionPhase.HANDSHAKE,
            ConnectionPhase.OPEN,
            ConnectionPhase.CLOSING,
        ):
            self.timer.enter(phase)
            self.clock.advance(5.9)
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(self.expired, [])

    def test_a_connection_with_traffic_is_not_idle(self) -> None:
        self.timer.enter(ConnectionPhase.OPEN)
        for _ in range(20):
            self.clock.pump([1.0] * 7)
            self.moved += 1
        self.assertEqual(self.expired, [])
        self.clock.pump([1.0] * 10)
        self.assertEqual(self.expired, ["idle: after 8 s"])

    def test_the_default_timeouts_limit_every_phase(self) -> None:
        self.assertTrue(all(seconds > 0 for seconds in vars(Timeouts()).values()))

    def test_a_negative_one_is_refused(self) -> None:
        error = self.assertRaises(ValueError, Timeouts, handshake=-1)
        self.assertEqual(str(error), "handshake is -1; give seconds, or 0 for no limit")


class TimeoutCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def end(
        self, mode: ModeName, timeouts: Timeouts = TIMEOUTS, **options: object
    ) -> NegotiatingEnd:
        return NegotiatingEnd(mode, server_tls(), None, timeouts, clock=self.clock, **options)

    def secured(self) -> Iterator[tuple[NegotiatingEnd, ForeignPeer]]:
        for mode in ENCRYPTING:
            end, peer = self.end(mode), foreign_client()
            end.secured_with(peer)
            self.clock.advance(0)
            end.log.clear()
            yield end, peer

    def check_aborted(self, end: NegotiatingEnd, seconds: float, *log: object) -> None:
        """Check that ``end`` is aborted after ``seconds``, not earlier, and leaves no calls."""
        self.clock.advance(seconds - 0.1)
        self.assertFalse(end.transport.aborted)
        self.clock.advance(0.1)
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.log, [*log])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class TimeoutBeforeSecureTests(TimeoutCase):
    def test_a_silent_peer_is_aborted(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            end = NegotiatingEnd(mode, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock)
            end.begin()
            self.check_aborted(end, 6, "insecure: timeout before TLS")

    def test_a_peer_that_never_requests_tls_is_aborted(self) -> None:
        end = NegotiatingEnd(ModeName.PAIR, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock)
        end.begin()
        for _ in range(5):
            self.clock.advance(1)
            end.receive(b"NOOP\r\n")
        self.check_aborted(end, 1, "insecure: timeout before TLS")

    def test_the_handshake_has_its_own_timeout_after_the_negotiation(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            end = NegotiatingEnd(mode, server_tls(), LineServer(), TIMEOUTS, clock=self.clock)
            end.begin()
            self.clock.advance(5)
            end.receive(b"STARTTLS\r\n", foreign_client().take()[:50])
            self.check_aborted(end, 7, "insecure: handshake timeout")

    def test_a_slow_handshake_is_aborted(self) -> None:
        for mode in ENCRYPTING:
            end = self.end(mode)
            end.begin()
            for byte in foreign_client().take()[:6]:
                self.clock.advance(1)
                end.receive(bytes([byte]))
            self.check_aborted(end, 1, "insecure: handshake timeout")

    def test_a_refused_peer_that_does_not_read_is_aborted_with_its_own_cause(
        self,
    ) -> None:
        end = NegotiatingEnd(ModeName.PAIR, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock)
        end.begin()
        end.transport.deliver(b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@example>\r\n")
        self.assertTrue(end.transport.disconnecting)
        self.check_aborted(end, 9, "insecure: injected plaintext")

    def test_a_connection_that_ends_leaves_no_delayed_calls(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            for negotiation in (SmtpServer(), None):
                end = NegotiatingEnd(
                    ModeName.PAIR, server_tls(), negotiation, TIMEOUTS, clock=self.clock
                )
                end.begin()
                end.transport.lose(reason)
                self.assertEqual(end.log, ["insecure: probe"])
                self.assertEqual(self.clock.getDelayedCalls(), [])


class TimeoutOnceSecureTests(TimeoutCase):
    def test_an_idle_connection_is_aborted(self) -> None:
        for end, _ in self.secured():
            self.check_idle(end)

    def check_idle(self, end: NegotiatingEnd) -> None:
        self.clock.pump([1.0] * 7)
        self.assertFalse(end.transport.aborted)
        self.clock.pump([1.0] * 3)
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.log[0], "ended: idle")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_traffic_in_either_direction_keeps_the_connection_open(self) -> None:
        for end, peer in self.secured():
            for number in range(6):
                self.clock.pump([1.0] * 6)
                if number % 2:
                    peer.write(b"x")
                else:
                    end.stream.write(b"x")
                    self.clock.advance(0)
                end.exchange_with(peer)
            self.assertFalse(end.transport.aborted)
            end.log.clear()
            self.check_idle(end)

    def test_a_peer_that_does_not_answer_close_notify_is_aborted(self) -> None:
        for end, peer in self.secured():
            end.stream.loseConnection()
            peer.receive(end.take())
            self.assertTrue(peer.closed)
            self.assertTrue(end.transport.connected)
            self.check_closing(end)

    def test_a_peer_that_keeps_sending_after_our_close_notify_is_aborted(self) -> None:
        for end, peer in self.secured():
            end.stream.loseConnection()
            end.take()
            for _ in range(8):
                self.clock.advance(1)
                peer.write(b"more")
                end.receive(peer.take())
            end.log.clear()
            self.check_closing(end, 1)

    def test_a_peer_that_sends_close_notify_and_does_not_read_is_aborted(self) -> None:
        for end, peer in self.secured():
            end.stream.write(b"x" * 10_000)
            self.clock.advance(0)
            peer.close()
            end.transport.deliver(peer.take())
            self.assertTrue(end.transport.connected)
            self.check_closing(end)

    def test_a_peer_that_breaks_tls_and_does_not_read_is_aborted(self) -> None:
        for end, peer in self.secured():
            end.stream.write(b"x" * 10_000)
            self.clock.advance(0)
            end.transport.deliver(b"\x17\x03\x03\x00\x20" + bytes(32))
            self.assertTrue(end.transport.connected)
            # Dropped, whether it is much or little.
            for size in (1, 100_000):
                end.stream.write(b"x" * size)
            self.check_closing(end, reason="protocol error")
            self.assertFalse(peer.closed)

    def check_closing(
        self, end: NegotiatingEnd, seconds: float = 9, reason: str = "closing timeout"
    ) -> None:
        self.clock.advance(seconds - 0.1)
        self.assertFalse(end.transport.aborted)
        self.clock.advance(0.1)
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.log[0], f"ended: {reason}")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closing_in_order_leaves_no_delayed_calls(self) -> None:
        for end, peer in self.secured():
            peer.close()
            end.exchange_with(peer)
            self.assertEqual(end.log, ["ended: clean", "lost: ConnectionDone"])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_aborting_leaves_no_delayed_calls(self) -> None:
        for end, _ in self.secured():
            end.protocol.abort(CloseReason(Cause.ABORTED))
            end.transport.turn()
            self.assertEqual(end.log[0], "ended: aborted by us")
            self.assertEqual(self.clock.getDelayedCalls(), [])


class SlowApplicationTests(TimeoutCase):
    """The peer has gone, and its data waits for the application."""

    def gone(self, mode: ModeName) -> tuple[NegotiatingEnd, ReadingRecorder]:
        application = ReadingRecorder()
        end = self.end(mode, application=application, delivery=Delivery.READABLE)
        peer = foreign_client()
        end.begin().exchange_with(peer)
        peer.write(b"all of it")
        peer.close()
        end.exchange_with(peer)
        self.assertFalse(end.transport.connected)
        self.assertEqual(end.log, [*SECURED, "readable"])
        end.log.clear()
        return end, application

    def test_it_has_more_time_than_the_closing_timeout(self) -> None:
        for mode in ENCRYPTING:
            end, application = self.gone(mode)
            self.clock.pump([1.0] * 7)
            self.assertEqual(end.log, [])
            application.read_all()
            self.assertEqual(
                end.log, [b"all of it", "ended: clean", "lost: ConnectionDone", "read all"]
            )
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_is_limited_by_the_idle_timeout(self) -> None:
        for mode in ENCRYPTING:
            end, _ = self.gone(mode)
            self.clock.pump([1.0] * 11)
            self.assertEqual(end.log, ["ended: idle", "lost: ConnectionAborted"])
            self.assertEqual(self.clock.getDelayedCalls(), [])


class ClearTimeoutTests(TimeoutCase):
    def test_the_idle_and_closing_timeouts_apply(self) -> None:
        end = self.end(ModeName.CLEAR)
        end.begin()
        self.clock.pump([1.0] * 10)
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.log[2], "ended: idle")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_closing_timeout_applies_if_the_application_closes_at_once(self) -> None:
        end = self.end(ModeName.CLEAR)
        application: Any = end.application
        application.on_connected = lambda: application.transport.loseConnection()
        end.begin()
        end.transport.write(b"never read")
        self.clock.pump([1.0] * 9)
        self.assertTrue(end.transport.aborted)
        end.transport.turn()
        self.assertEqual(end.cause, "closing timeout")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_there_is_no_closing_timeout_after_the_end(self) -> None:
        end = self.end(ModeName.CLEAR)
        end.begin()
        end.transport.lose(ConnectionDone())
        end.stream.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])
