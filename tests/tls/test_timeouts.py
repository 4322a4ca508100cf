from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support import ReadingRecorder, patch_reactor_clock
from tests.tls.memory_ends import ForeignPeer, foreign_client, server_tls
from tests.tls.negotiating import SECURED, Talker
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.starttls.line import LineServer
from tlsdemo.starttls.smtp import SmtpServer
from tlsdemo.tls import Delivery, ModeName
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer, Timeouts

TIMEOUTS = Timeouts(plain=6, handshake=7, idle=8, closing=9)
ENCRYPTING = (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED)


class TheDeadlines(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.moved = 0
        self.expired: list[str] = []
        self.timer = self.of(TIMEOUTS)

    def of(self, timeouts: Timeouts) -> PhaseTimer:
        timer = PhaseTimer(self.clock, timeouts)
        timer.target = self
        return timer

    @property
    def transferred(self) -> int:
        return self.moved

    def abort(self, close_reason: CloseReason) -> None:
        self.expired.append(str(close_reason))

    def test_end_each_phase_for_a_cause_of_its_own(self) -> None:
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

    def test_are_none_where_nobody_is_in_a_hurry(self) -> None:
        for phase in ConnectionPhase:
            self.of(NO_TIMEOUTS).enter(phase)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_are_over_when_it_is_over(self) -> None:
        for phase in ConnectionPhase:
            timer = self.of(TIMEOUTS)
            timer.enter(phase)
            timer.enter(ConnectionPhase.OVER)
            self.assertIsNone(timer.target)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_begin_anew_with_each_phase(self) -> None:
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

    def test_do_not_end_what_moves(self) -> None:
        self.timer.enter(ConnectionPhase.OPEN)
        for _ in range(20):
            self.clock.pump([1.0] * 7)
            self.moved += 1
        self.assertEqual(self.expired, [])
        self.clock.pump([1.0] * 10)
        self.assertEqual(self.expired, ["idle: after 8 s"])

    def test_of_the_stock_patience_bound_every_phase(self) -> None:
        self.assertTrue(all(seconds > 0 for seconds in vars(Timeouts()).values()))


class InMemory(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = patch_reactor_clock(self)

    def talker(self, mode: ModeName, timeouts: Timeouts = TIMEOUTS, **options: object) -> Talker:
        return Talker(mode, server_tls(), None, timeouts, clock=self.clock, **options)

    def secured(self) -> Iterator[tuple[Talker, ForeignPeer]]:
        for mode in ENCRYPTING:
            talker, peer = self.talker(mode), foreign_client()
            talker.secured_with(peer)
            self.clock.advance(0)
            talker.log.clear()
            yield talker, peer

    def check_cut_off(self, talker: Talker, seconds: float, *log: object) -> None:
        """Check that it is cut off in ``seconds`` and not before, and leaves nothing behind."""
        self.clock.advance(seconds - 0.1)
        self.assertFalse(talker.transport.aborted)
        self.clock.advance(0.1)
        self.assertTrue(talker.transport.aborted)
        talker.transport.turn()
        self.assertEqual(talker.log, [*log])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class BeforeItIsSecure(InMemory):
    def test_a_peer_that_says_nothing_is_cut_off(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            talker = Talker(mode, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock).begin()
            assert isinstance(talker, Talker)
            self.check_cut_off(talker, 6, "insecure: timeout before TLS")

    def test_a_peer_that_talks_and_talks_is_cut_off_as_well(self) -> None:
        talker = Talker(ModeName.PAIR, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock)
        talker.begin()
        for _ in range(5):
            self.clock.advance(1)
            talker.hear(b"NOOP\r\n")
        self.check_cut_off(talker, 1, "insecure: timeout before TLS")

    def test_a_handshake_has_a_time_of_its_own_after_the_words(self) -> None:
        for mode in (ModeName.STARTTLS, ModeName.PAIR):
            talker = Talker(mode, server_tls(), LineServer(), TIMEOUTS, clock=self.clock)
            talker.begin()
            self.clock.advance(5)
            talker.hear(b"STARTTLS\r\n", foreign_client().take()[:50])
            self.check_cut_off(talker, 7, "insecure: handshake timeout")

    def test_a_handshake_that_trickles_is_cut_off(self) -> None:
        for mode in ENCRYPTING:
            talker = self.talker(mode)
            talker.begin()
            for byte in foreign_client().take()[:6]:
                self.clock.advance(1)
                talker.hear(bytes([byte]))
            self.check_cut_off(talker, 1, "insecure: handshake timeout")

    def test_a_refused_peer_that_does_not_read_is_cut_off_for_what_it_did(self) -> None:
        talker = Talker(ModeName.PAIR, server_tls(), SmtpServer(), TIMEOUTS, clock=self.clock)
        talker.begin()
        talker.transport.deliver(b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@example>\r\n")
        self.assertTrue(talker.transport.disconnecting)
        self.check_cut_off(talker, 9, "insecure: injected plaintext")

    def test_nothing_is_left_of_one_that_ends_by_itself(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            for negotiation in (SmtpServer(), None):
                talker = Talker(
                    ModeName.PAIR, server_tls(), negotiation, TIMEOUTS, clock=self.clock
                )
                talker.begin()
                talker.transport.lose(reason)
                self.assertEqual(talker.log, ["insecure: handshake interrupted"])
                self.assertEqual(self.clock.getDelayedCalls(), [])


class OnceItIsSecure(InMemory):
    def test_silence_ends_it(self) -> None:
        for talker, _ in self.secured():
            self.check_idle(talker)

    def check_idle(self, talker: Talker) -> None:
        self.clock.pump([1.0] * 7)
        self.assertFalse(talker.transport.aborted)
        self.clock.pump([1.0] * 3)
        self.assertTrue(talker.transport.aborted)
        talker.transport.turn()
        self.assertEqual(talker.log[0], "ended: idle")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bytes_in_either_direction_keep_it_open(self) -> None:
        for talker, peer in self.secured():
            for number in range(6):
                self.clock.pump([1.0] * 6)
                if number % 2:
                    peer.write(b"x")
                else:
                    talker.stream.write(b"x")
                    self.clock.advance(0)
                talker.converse(peer)
            self.assertFalse(talker.transport.aborted)
            talker.log.clear()
            self.check_idle(talker)

    def test_a_peer_that_does_not_answer_our_goodbye_is_cut_off(self) -> None:
        for talker, peer in self.secured():
            talker.stream.loseConnection()
            peer.receive(talker.take())
            self.assertTrue(peer.closed)
            self.assertTrue(talker.transport.connected)
            self.check_closing(talker)

    def test_a_peer_that_answers_our_goodbye_with_more_and_more_is_cut_off(self) -> None:
        for talker, peer in self.secured():
            talker.stream.loseConnection()
            talker.take()
            for _ in range(8):
                self.clock.advance(1)
                peer.write(b"more")
                talker.hear(peer.take())
            talker.log.clear()
            self.check_closing(talker, 1)

    def test_a_peer_that_says_goodbye_and_does_not_read_is_cut_off(self) -> None:
        for talker, peer in self.secured():
            talker.stream.write(b"x" * 10_000)
            self.clock.advance(0)
            peer.close()
            talker.transport.deliver(peer.take())
            self.assertTrue(talker.transport.connected)
            self.check_closing(talker)

    def check_closing(self, talker: Talker, seconds: float = 9) -> None:
        self.clock.advance(seconds - 0.1)
        self.assertFalse(talker.transport.aborted)
        self.clock.advance(0.1)
        self.assertTrue(talker.transport.aborted)
        talker.transport.turn()
        self.assertEqual(talker.log[0], "ended: closing timeout")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_left_of_one_that_ends_in_order(self) -> None:
        for talker, peer in self.secured():
            peer.close()
            talker.converse(peer)
            self.assertEqual(talker.log, ["ended: clean", "lost: ConnectionDone"])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_left_of_one_that_is_aborted(self) -> None:
        for talker, _ in self.secured():
            talker.protocol.abort(CloseReason(Cause.ABORTED))
            talker.transport.turn()
            self.assertEqual(talker.log[0], "ended: aborted by us")
            self.assertEqual(self.clock.getDelayedCalls(), [])


class AnApplicationThatTakesItsTime(InMemory):
    """The peer has said all and is gone, and delivery waits for the application."""

    def gone(self, mode: ModeName) -> tuple[Talker, ReadingRecorder]:
        application = ReadingRecorder()
        talker = self.talker(mode, application=application, delivery=Delivery.READABLE)
        peer = foreign_client()
        talker.begin().converse(peer)
        peer.write(b"all of it")
        peer.close()
        talker.converse(peer)
        self.assertFalse(talker.transport.connected)
        self.assertEqual(talker.log, [*SECURED, "readable"])
        talker.log.clear()
        return talker, application

    def test_has_more_than_the_time_of_closing(self) -> None:
        for mode in ENCRYPTING:
            talker, application = self.gone(mode)
            self.clock.pump([1.0] * 7)
            self.assertEqual(talker.log, [])
            application.read_all()
            self.assertEqual(
                talker.log, [b"all of it", "ended: clean", "lost: ConnectionDone", "read all"]
            )
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_does_not_have_for_ever(self) -> None:
        for mode in ENCRYPTING:
            talker, _ = self.gone(mode)
            self.clock.pump([1.0] * 11)
            self.assertEqual(talker.log, ["ended: idle", "lost: ConnectionAborted"])
            self.assertEqual(self.clock.getDelayedCalls(), [])


class InTheClear(InMemory):
    def test_has_the_deadlines_of_one_that_is_secure(self) -> None:
        talker = self.talker(ModeName.CLEAR)
        talker.begin()
        self.clock.pump([1.0] * 10)
        self.assertTrue(talker.transport.aborted)
        talker.transport.turn()
        self.assertEqual(talker.log[2], "ended: idle")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits_only_so_long_for_the_end_that_its_application_begins_at_once(self) -> None:
        talker = self.talker(ModeName.CLEAR)
        application: Any = talker.application
        application.on_connected = lambda: application.transport.loseConnection()
        talker.begin()
        talker.transport.write(b"never read")
        self.clock.pump([1.0] * 9)
        self.assertTrue(talker.transport.aborted)
        talker.transport.turn()
        self.assertEqual(talker.cause, "closing timeout")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_has_no_deadline_for_closing_what_has_ended(self) -> None:
        talker = self.talker(ModeName.CLEAR)
        talker.begin()
        talker.transport.lose(ConnectionDone())
        talker.stream.loseConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])
