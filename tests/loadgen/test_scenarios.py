"""What the connections of each scenario do, to a server that the test plays."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.connection_pool_case import ConnectionPoolCase
from tests.loadgen.fake_reactor import FakeReactor, task
from tests.support import MemoryTransport
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.scenario_catalogue import packets_that_end
from tlsdemo.reporting.latencies import FIRST_BYTE, ROUND_TRIP, WRITE


class ScenarioCase(ConnectionPoolCase):
    scenario: str

    def joined(
        self, count: int = 1, **changes: Any
    ) -> tuple[ConnectionPool, list[MemoryTransport]]:
        return super().joined(count, scenario=self.scenario, **changes)

    def failures(self, pool: ConnectionPool) -> dict[str, int]:
        return dict(pool.counters().failed)


class Ends(SynchronousTestCase):
    def test_a_load_ends_with_its_packets_if_each_part_does(self) -> None:
        for parts, packets in (
            ([("stream", 5)], 5),
            ([("pingpong", 0)], 0),
            ([("churn", 5)], 0),
            ([("idle", 5)], 0),
            ([("stream", 5), ("pingpong", 5)], 5),
            ([("stream", 5), ("idle", 5)], 0),
        ):
            tasks = [task(scenario=name, packets=count) for name, count in parts]
            self.assertEqual(packets_that_end(tasks), packets, parts)


class Streaming(ScenarioCase):
    scenario = "stream"

    def test_at_a_rate_packets_are_written_in_turn_when_they_are_due(self) -> None:
        pool, (one, other) = self.joined(2)
        pool.begin(Window(rate=2.0, seconds=2.0))
        self.reactor.pump([0.0, 0.5, 0.5])
        self.assertEqual((one.take(), other.take()), (b"x" * 20, b"x" * 10))
        self.reactor.advance(0.5)
        self.assertEqual((one.take(), other.take()), (b"", b"x" * 10))

    def test_a_packet_waits_for_flow_control_and_its_latency_shows_it(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window(rate=1.0, seconds=3.0))
        transport.producer.pauseProducing()
        self.reactor.pump([0.0, 1.0])
        self.assertEqual(transport.take(), b"")
        transport.producer.resumeProducing()
        self.assertEqual(transport.take(), b"x" * 20)
        self.assertEqual(round(pool.recorder.take()[0].at(WRITE, 100.0) or 0.0, 2), 1.0)

    def test_what_flow_control_never_let_through_was_missed(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window(rate=1.0, seconds=3.0))
        transport.producer.pauseProducing()
        self.reactor.pump([0.0, 1.0, 1.0])
        pool.rest()
        self.assertEqual(pool.counters().missed, 3)


class PingPong(ScenarioCase):
    scenario = "pingpong"

    def test_the_next_message_follows_the_answer(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        first = transport.take()
        self.assertEqual(len(first), 10)
        transport.deliver(first[:4])
        self.assertEqual((transport.take(), pool.counters().answered), (b"", 0))
        self.reactor.advance(0.25)
        transport.deliver(first[4:])
        self.assertNotIn(transport.take(), (b"", first))
        self.assertEqual(pool.counters().answered, 1)
        self.assertEqual(round(pool.recorder.take()[0].at(ROUND_TRIP, 100.0) or 0.0, 2), 0.25)

    def test_a_packet_is_what_is_said(self) -> None:
        pool, (transport,) = self.joined(say="NOOP\r\n", expect="250")
        pool.begin(Window())
        for _ in range(4):
            transport.deliver(b"250 OK\r\n")
        self.assertEqual((pool.counters().sent, pool.counters().packets), (30, 5))

    def test_the_wait_for_the_load_is_in_no_latency(self) -> None:
        for load_begins, expected in ((False, 1), (True, 0)):
            pool, (transport,) = self.joined()
            self.reactor.advance(5.0)
            if load_begins:
                pool.recorder.begin(1, 0.0)
            pool.begin(Window())
            transport.deliver(transport.take())
            self.assertEqual(pool.recorder.take()[0].count(FIRST_BYTE), expected)
            self.reactor = FakeReactor()

    def test_as_many_may_be_without_an_answer_as_the_pipeline_is_long(self) -> None:
        pool, (transport,) = self.joined(pipeline=3)
        pool.begin(Window())
        self.assertEqual(len(transport.take()), 30)
        self.assertEqual(pool.outstanding, 3)

    def test_a_wrong_answer_fails(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        transport.deliver(b"something else")
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertEqual(self.failures(pool), {"protocol error": 1})
        self.assertIn("does the server echo?", pool.counters().details["protocol error"])
        self.assertEqual((pool.outstanding, pool.counters().answered), (0, 0))

    def test_more_than_the_answer_fails(self) -> None:
        pool, (transport,) = self.joined()
        transport.deliver(b"hello")
        transport.turn()
        self.assertEqual(self.failures(pool), {"protocol error": 1})

    def test_it_closes_after_its_packets(self) -> None:
        pool, (transport,) = self.joined(packets=2)
        pool.begin(Window())
        for _ in range(2):
            self.assertFalse(transport.disconnecting)
            transport.deliver(transport.take())
        self.assertTrue(transport.disconnecting)
        transport.turn()
        self.assertEqual((pool.counters().clean, pool.over), (1, True))

    def test_it_waits_for_the_last_answer_before_it_closes(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        pool.finish()
        self.assertFalse(transport.disconnecting)
        transport.deliver(transport.take())
        self.assertEqual(transport.take(), b"")
        transport.turn()
        self.assertEqual(pool.counters().clean, 1)
        self.turn()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_it_does_not_wait_for_ever(self) -> None:
        pool, (transport,) = self.joined(closing_timeout=5.0)
        pool.begin(Window())
        pool.finish()
        self.reactor.advance(5.0)
        transport.turn()
        self.assertEqual(self.failures(pool), {"closing timeout": 1})

    def test_a_server_that_closes_instead_of_answering_fails(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        transport.lose(ConnectionDone())
        self.assertEqual(self.failures(pool), {"truncated": 1})
        self.assertEqual(pool.counters().details, {
            "truncated": "the server closed before it had answered"})  # fmt: skip

    def test_at_a_rate_a_message_goes_to_a_connection_that_is_free(self) -> None:
        pool, (one, other) = self.joined(2)
        pool.begin(Window(rate=1.0, seconds=10.0))
        self.reactor.pump([0.0, 1.0, 1.0])
        self.assertEqual((len(one.take()), len(other.take())), (10, 10))
        self.assertEqual(pool.outstanding, 2)
        pool.rest()
        self.assertEqual(pool.counters().missed, 1)

    def test_a_server_that_does_not_echo_is_told_what_to_answer(self) -> None:
        pool, (transport,) = self.joined(say="NOOP\r\n", expect="250")
        pool.begin(Window())
        self.assertEqual(transport.take(), b"NOOP\r\n")
        transport.deliver(b"250 OK\r\n")
        self.assertEqual((transport.take(), pool.counters().answered), (b"NOOP\r\n", 1))


class Churn(ScenarioCase):
    scenario = "churn"

    def churning(self, count: int = 2, **changes: Any) -> ConnectionPool:
        pool = self.opened(connections=count, scenario=self.scenario, **changes)
        self.assertEqual((self.attempts(), pool.settled), ([], True))
        return pool

    def test_another_is_opened_when_one_has_closed(self) -> None:
        pool = self.churning()
        pool.begin(Window())
        self.assertEqual(len(self.attempts()), 2)
        transport = self.attempts()[0].accept()
        self.turn()
        self.assertTrue(transport.disconnecting)
        transport.turn()
        self.turn()
        self.assertEqual(len(self.attempts()), 3)
        self.assertEqual((pool.counters().clean, pool.counters().begun), (1, 3))

    def test_with_packets_each_verifies_as_many_answers(self) -> None:
        pool = self.churning(packets=2)
        pool.begin(Window())
        transport = self.attempts()[0].accept()
        self.turn()
        for _ in range(2):
            transport.deliver(transport.take())
        self.assertTrue(transport.disconnecting)
        self.assertEqual(pool.counters().answered, 2)

    def test_one_that_fails_makes_room_too(self) -> None:
        pool = self.churning(1)
        pool.begin(Window())
        self.attempts()[0].refuse()
        self.turn()
        self.assertEqual(len(self.attempts()), 2)
        self.assertEqual(self.failures(pool), {"connection refused": 1})

    def test_at_a_rate_those_without_room_are_missed(self) -> None:
        pool = self.churning(2)
        pool.begin(Window(rate=1.0, seconds=4.0))
        self.reactor.pump([0.0, 1.0, 1.0, 1.0])
        self.assertEqual(len(self.attempts()), 2)
        pool.rest()
        self.assertEqual((pool.counters().missed, pool.outstanding), (2, 2))

    def test_it_opens_none_after_the_end(self) -> None:
        pool = self.churning(1)
        pool.begin(Window())
        pool.finish()
        self.turn()
        self.assertEqual((len(self.attempts()), pool.over), (1, True))

    def test_the_addresses_of_its_connections_are_not_kept(self) -> None:
        pool = self.churning(1)
        pool.begin(Window())
        self.attempts()[0].accept()
        self.assertEqual(pool.peers, [])


class Idle(ScenarioCase):
    scenario = "idle"

    def test_nothing_is_sent_until_the_end(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        self.reactor.pump([1.0] * 1000)
        self.assertEqual((transport.take(), transport.aborted), (b"", False))
        pool.finish()
        transport.turn()
        self.assertEqual(pool.counters().clean, 1)

    def test_a_trickle_is_spread_evenly(self) -> None:
        pool, transports = self.joined(4, trickle=8.0)
        pool.begin(Window())
        self.reactor.pump([0.0] + [2.0] * 5)
        self.assertEqual([len(each.take()) for each in transports], [2, 2, 1, 1])
        pool.finish()
        self.reactor.advance(100.0)
        self.assertEqual([each.take() for each in transports], [b""] * 4)

    def test_a_server_that_does_not_hold_a_connection_fails(self) -> None:
        for reason in (ConnectionDone(), ConnectionLost()):
            self.setUp()
            pool, (transport,) = self.joined()
            pool.begin(Window())
            transport.lose(reason)
            self.assertEqual(self.failures(pool), {"truncated": 1})
