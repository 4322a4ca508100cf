"""The deadlines of a load's connections, each with the name that its end is counted by."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import LoopingCall
from twisted.trial.unittest import TestCase

from tests.loadgen.connection_pool_case import ConnectionPoolCase
from tests.loadgen.fake_reactor import FakeReactor, task
from tests.support import (
    MemoryTransport,
    RecordingListener,
    StartTLSTransport,
    certificates,
)
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.tls import MODES, ClientTLS, ConnectionSettings, ModeName, ServerTLS, UpgradeProtocol


class Connecting(ConnectionPoolCase):
    def test_what_cannot_be_made_in_time_is_given_up(self) -> None:
        pool = self.opened(timeout=5.0)
        self.reactor.advance(4.9)
        self.assertFalse(self.attempts()[0].given_up)
        self.reactor.advance(0.1)
        self.assertTrue(self.attempts()[0].given_up)
        self.assertEqual(pool.counters().failed, {"connect timeout": 1})
        self.assertTrue(pool.over)

    def test_what_was_made_in_time_is_not_given_up(self) -> None:
        pool, (transport,) = self.joined(timeout=5.0)
        self.reactor.advance(50.0)
        self.assertTrue(transport.connected)
        self.assertEqual(pool.counters().failed, {})

    def test_what_fails_leaves_no_deadline_behind(self) -> None:
        self.opened()
        self.attempts()[0].refuse()
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class Securing(ConnectionPoolCase):
    """A server that says nothing, or stops to."""

    def silent(self, **changes: Any) -> tuple[ConnectionPool, MemoryTransport]:
        tls = ClientTLS.build(certificates().client, "localhost")
        pool = ConnectionPool(
            task(mode="starttls", **changes), tls, self.reactor, Recorder(self.reactor.seconds)
        )
        pool.open()
        (attempt,) = self.attempts()
        return pool, attempt.accept(StartTLSTransport(is_client=True))

    def ends_after(self, seconds: float, cause: str, **changes: Any) -> None:
        pool, transport = self.silent(**changes)
        self.reactor.advance(seconds - 0.1)
        self.assertFalse(transport.aborted)
        self.reactor.advance(0.1)
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertEqual(pool.counters().failed, {cause: 1})
        self.assertTrue(pool.over)
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_the_words_before_tls_have_a_deadline(self) -> None:
        self.ends_after(3.0, "timeout before TLS", dialect="smtp", plain_timeout=3.0)

    def test_a_handshake_has_a_deadline(self) -> None:
        self.ends_after(4.0, "handshake timeout", handshake_timeout=4.0)

    def test_all_together_has_one_too_whose_end_is_named_after_the_phase(self) -> None:
        self.ends_after(5.0, "handshake timeout", timeout=5.0, handshake_timeout=0.0)
        self.reactor = FakeReactor()
        self.ends_after(
            5.0, "timeout before TLS", dialect="smtp", timeout=5.0, plain_timeout=0.0
        )  # fmt: skip


class Narrow(MemoryTransport):
    """A wire with room for one packet, until somebody reads."""

    def write(self, data: bytes) -> None:
        super().write(data)
        self.producer.pauseProducing()

    def read(self) -> None:
        self.take()
        self.producer.resumeProducing()


class Silence(ConnectionPoolCase):
    def sending(self, **changes: Any) -> tuple[ConnectionPool, Narrow]:
        """One that has sent what there was room for."""
        pool = self.opened(**{"idle_timeout": 8.0, **changes})
        (attempt,) = self.attempts()
        transport = Narrow()
        attempt.accept(transport)
        pool.begin(Window())
        self.turn()
        return pool, transport

    def test_a_server_that_never_reads_is_idle(self) -> None:
        pool, transport = self.sending(packets=1000)
        # A silence is looked at from time to time, so it may last a quarter longer.
        self.reactor.pump([1.0] * 7)
        self.assertFalse(transport.aborted)
        self.reactor.pump([1.0] * 3)
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertEqual(pool.counters().failed, {"idle": 1})
        self.assertTrue(pool.over)
        self.turn()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_who_sends_is_not_idle(self) -> None:
        _, transport = self.sending()
        for _ in range(30):
            self.reactor.advance(1.0)
            transport.read()
        self.assertFalse(transport.aborted)

    def test_who_receives_is_not_idle(self) -> None:
        _, transport = self.sending()
        for _ in range(30):
            self.reactor.advance(1.0)
            transport.deliver(b"answer")
        self.assertFalse(transport.aborted)

    def test_waiting_for_the_others_is_not_silence(self) -> None:
        pool = self.opened(connections=2, rate=0.01, idle_timeout=8.0)
        first = self.attempts()[0].accept()
        self.reactor.pump([1.0] * 100)
        second = self.attempts()[1].accept()
        self.assertTrue(pool.settled)
        self.reactor.pump([1.0] * 100)
        self.assertEqual(pool.counters().failed, {})
        self.assertFalse(first.aborted or second.aborted)

    def test_it_may_last_for_any_time_if_so_told(self) -> None:
        _, transport = self.sending(idle_timeout=0.0)
        self.reactor.advance(100_000.0)
        self.assertFalse(transport.aborted)

    def test_it_does_not_count_while_the_connection_is_closing(self) -> None:
        pool, transport = self.sending(closing_timeout=100.0)
        pool.finish()
        self.reactor.pump([1.0] * 99)
        self.assertFalse(transport.aborted)


class Closing(ConnectionPoolCase):
    def test_what_does_not_close_in_time_is_cut_off(self) -> None:
        pool, (transport,) = self.joined(closing_timeout=5.0)
        pool.finish()
        self.reactor.advance(4.9)
        self.assertFalse(transport.aborted)
        self.reactor.advance(0.1)
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertEqual(pool.counters().failed, {"closing timeout": 1})
        self.assertTrue(pool.over)

    def test_it_may_take_any_time_if_so_told(self) -> None:
        pool, (transport,) = self.joined(closing_timeout=0.0)
        pool.finish()
        self.reactor.advance(100_000.0)
        self.assertFalse(transport.aborted)


class NeverReading(Protocol):
    transport: Any

    def connectionMade(self) -> None:
        self.transport.pauseProducing()


class OnASocket(TestCase):
    """Real time, real buffers: what flow control makes of a server that never reads."""

    timeout = 20

    async def test_a_server_that_never_reads_is_left_after_the_time_asked_for(self) -> None:
        clock: Any = reactor
        tls = ServerTLS.build(certificates().server)
        # The reactor has no reference to a connection that neither reads nor writes.
        accepted: list[UpgradeProtocol] = []

        def build() -> UpgradeProtocol:
            settings = ConnectionSettings(MODES[ModeName.STARTTLS], tls)
            listener = RecordingListener([], NeverReading())
            accepted.append(UpgradeProtocol(settings, listener, clock))
            return accepted[-1]

        factory = Factory.forProtocol(build)
        port = await serverFromString(clock, "tcp:0:interface=127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        work = task(
            connect=f"tcp:127.0.0.1:{port.getHost().port}",
            mode="starttls",
            connections=3,
            packets=1 << 30,
            packet_size=1 << 14,
            idle_timeout=0.4,
        )
        client_tls = ClientTLS.build(certificates().client, "localhost")
        pool = ConnectionPool(work, client_tls, clock, Recorder(clock.seconds))
        pool.open()
        await self.until(lambda: pool.settled)
        self.assertEqual(pool.counters().secured, 3)
        pool.begin(Window())
        await self.until(lambda: pool.over)
        self.assertEqual(pool.counters().failed, {"idle": 3})
        self.assertGreater(pool.counters().sent, 0)

    def until(self, condition: Any) -> Deferred[Any]:
        def look() -> None:
            if condition():
                looking.stop()

        looking = LoopingCall(look)
        return looking.start(0.02)
