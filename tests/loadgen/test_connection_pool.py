from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.loadgen.connection_pool_case import ConnectionPoolCase
from tlsdemo.loadgen.arrivals import Window


class Opening(ConnectionPoolCase):
    def test_it_waits_for_the_order(self) -> None:
        pool = self.pool(connections=2)
        self.assertEqual(self.attempts(), [])
        self.assertFalse(pool.begun)
        self.assertFalse(pool.settled)

    def test_it_opens_all_at_once_if_it_may(self) -> None:
        pool = self.opened(connections=5)
        self.assertEqual(len(self.attempts()), 5)
        self.assertEqual(pool.counters().begun, 5)
        self.assertTrue(pool.begun)

    def test_it_connects_where_the_task_says(self) -> None:
        self.opened(connect="tcp:192.0.2.7:25")
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.7", 25))

    def test_connections_have_the_source_addresses_in_turn(self) -> None:
        sources = ("127.0.0.2", "127.0.0.3", "::1")
        for index, first in ((0, "127.0.0.2"), (4, "127.0.0.3")):
            self.setUp()
            self.opened(connections=4, sources=",".join(sources), index=index, of=5)
            bound = [each[4] for each in self.reactor.tcpClients]
            self.assertEqual({*bound}, {(each, 0) for each in sources})
            self.assertEqual((bound[0], bound[3]), ((first, 0), (first, 0)))

    def test_only_so_many_are_in_flight(self) -> None:
        self.opened(connections=5, in_flight=2)
        self.turn()
        self.assertEqual(len(self.attempts()), 2)
        self.attempts()[0].accept()
        self.turn()
        self.assertEqual(len(self.attempts()), 3)

    def test_one_that_fails_makes_room_for_another(self) -> None:
        self.opened(connections=5, in_flight=2)
        self.attempts()[1].refuse()
        self.turn()
        self.assertEqual(len(self.attempts()), 3)

    def test_what_was_said_of_the_first_failure_is_kept(self) -> None:
        pool = self.opened(connections=3)
        for attempt in self.attempts():
            attempt.refuse()
        self.turn()
        details = pool.counters().details
        self.assertEqual([*details], ["connection refused"])
        self.assertIn("refused", details["connection refused"])

    def test_it_opens_one_after_the_other_at_the_rate_asked_for(self) -> None:
        self.opened(connections=4, rate=2.0)
        counts = [len(self.attempts())]
        for _ in range(8):
            self.reactor.advance(0.25)
            counts.append(len(self.attempts()))
        self.assertEqual(counts, [1, 1, 2, 2, 3, 3, 4, 4, 4])

    def test_a_rate_does_not_lift_the_limit_in_flight(self) -> None:
        self.opened(connections=10, rate=10.0, in_flight=3)
        for _ in range(10):
            self.reactor.advance(0.1)
        self.assertEqual(len(self.attempts()), 3)
        for attempt in self.attempts():
            attempt.accept()
        self.turn()
        self.assertEqual(len(self.attempts()), 6)

    def test_however_many_are_open_only_one_waits_to_open_the_next(self) -> None:
        self.opened(connections=50, rate=8.0)
        for _ in range(20):
            self.attempts()[-1].accept()
            self.reactor.advance(0.125)
        self.assertEqual(len(self.attempts()), 21)
        self.attempts()[-1].accept()
        self.turn()
        self.assertEqual(len(self.reactor.getDelayedCalls()), 1)

    def test_it_is_settled_when_each_is_secured_or_has_failed(self) -> None:
        pool = self.opened(connections=2)
        one, other = self.attempts()
        one.accept()
        self.assertFalse(pool.settled)
        other.refuse()
        self.assertTrue(pool.settled)
        self.assertFalse(pool.over)

    def test_peers_are_our_own_addresses(self) -> None:
        pool, _ = self.joined(2)
        self.assertEqual(pool.peers, ["192.0.2.2:2"] * 2)


class Failing(ConnectionPoolCase):
    def test_connections_that_cannot_be_made_are_counted_with_their_cause(self) -> None:
        pool = self.opened(connections=2)
        for attempt in self.attempts():
            attempt.refuse()
        self.assertEqual(pool.counters().failed, {"connection refused": 2})
        self.assertTrue(pool.over)
        self.assertEqual(pool.peers, [])

    def test_one_that_is_cut_off_is_truncated(self) -> None:
        pool, (transport,) = self.joined()
        pool.begin(Window())
        transport.lose(ConnectionLost())
        self.assertEqual(pool.counters().failed, {"truncated": 1})
        self.assertTrue(pool.over)

    def test_one_that_the_server_closes_before_all_was_sent_is_truncated(self) -> None:
        pool, (transport,) = self.joined(packets=100)
        pool.begin(Window())
        transport.lose(ConnectionDone())
        self.assertEqual(pool.counters().failed, {"truncated": 1})
        self.assertEqual(pool.counters().clean, 0)


class Sending(ConnectionPoolCase):
    def test_nothing_is_sent_before_the_order(self) -> None:
        _, (transport,) = self.joined()
        self.turn()
        self.assertEqual(transport.take(), b"")

    def test_every_connection_sends_its_packets_and_closes(self) -> None:
        pool, transports = self.joined(2, packets=3)
        pool.begin(Window())
        self.turn()
        for transport in transports:
            self.assertEqual(transport.take(), b"x" * 30)
            transport.turn()
        counters = pool.counters()
        self.assertEqual((counters.sent, counters.packets, counters.clean), (60, 6, 2))
        self.assertEqual(counters.failed, {})
        self.assertTrue(pool.over)

    def test_open_connections_are_counted_too(self) -> None:
        pool, (transport, _) = self.joined(2, packets=3)
        pool.begin(Window())
        self.turn()
        transport.deliver(b"answer")
        transport.take()
        self.assertEqual(pool.counters().sent, 60)
        self.assertEqual(pool.counters().received, 6)
        transport.turn()
        self.assertEqual(pool.counters().sent, 60)
        self.assertEqual(pool.counters().received, 6)

    def test_a_connection_that_is_still_being_made_does_not_send(self) -> None:
        pool = self.opened(connections=2, packets=3)
        transport = self.attempts()[0].accept()
        pool.begin(Window())
        self.turn()
        self.assertEqual(transport.take(), b"x" * 30)
        self.assertEqual(pool.counters().sent, 30)


class Finishing(ConnectionPoolCase):
    def test_what_is_open_is_closed_in_order(self) -> None:
        pool, transports = self.joined(2)
        pool.finish()
        for transport in transports:
            self.assertTrue(transport.disconnecting)
            self.assertFalse(transport.aborted)
            transport.turn()
        self.assertEqual(pool.counters().clean, 2)
        self.assertTrue(pool.over)

    def test_what_is_being_opened_is_given_up(self) -> None:
        pool = self.opened(connections=2, in_flight=1)
        pool.finish()
        self.assertTrue(self.attempts()[0].given_up)
        self.assertEqual(pool.counters().failed, {"aborted by us": 1})
        self.assertTrue(pool.over)

    def test_nothing_more_is_opened(self) -> None:
        pool = self.opened(connections=3, in_flight=1)
        pool.finish()
        self.turn()
        self.assertEqual(len(self.attempts()), 1)

    def test_nothing_more_is_opened_at_a_rate(self) -> None:
        pool = self.opened(connections=3, rate=1.0)
        pool.finish()
        self.reactor.advance(1.0)
        self.assertEqual(len(self.attempts()), 1)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_before_anything_was_opened_it_is_over_at_once(self) -> None:
        pool = self.pool(connections=3)
        pool.finish()
        self.assertTrue(pool.over)

    def test_abort_closes_everything_at_once(self) -> None:
        pool = self.opened(connections=2)
        transport = self.attempts()[0].accept()
        pool.abort()
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertTrue(self.attempts()[1].given_up)
        self.assertEqual(pool.counters().failed, {"aborted by us": 2})
        self.assertTrue(pool.over)
