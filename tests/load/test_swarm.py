from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.load.swarming import SwarmCase


class Opening(SwarmCase):
    def test_it_waits_for_the_order(self) -> None:
        swarm = self.swarm(connections=2)
        self.assertEqual(self.attempts(), [])
        self.assertFalse(swarm.begun)
        self.assertFalse(swarm.settled)

    def test_it_opens_all_at_once_if_it_may(self) -> None:
        swarm = self.opened(connections=5)
        self.assertEqual(len(self.attempts()), 5)
        self.assertEqual(swarm.tally().begun, 5)
        self.assertTrue(swarm.begun)

    def test_it_connects_where_the_task_says(self) -> None:
        self.opened(connect="tcp:192.0.2.7:25")
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.7", 25))

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
        swarm = self.opened(connections=2)
        one, other = self.attempts()
        one.accept()
        self.assertFalse(swarm.settled)
        other.refuse()
        self.assertTrue(swarm.settled)
        self.assertFalse(swarm.over)

    def test_peers_are_our_own_addresses(self) -> None:
        swarm, _ = self.joined(2)
        self.assertEqual(swarm.peers, ["192.0.2.2:2"] * 2)


class Failing(SwarmCase):
    def test_connections_that_cannot_be_made_are_counted_with_their_cause(self) -> None:
        swarm = self.opened(connections=2)
        for attempt in self.attempts():
            attempt.refuse()
        self.assertEqual(swarm.tally().failed, {"connecting failed": 2})
        self.assertTrue(swarm.over)
        self.assertEqual(swarm.peers, [])

    def test_one_that_is_cut_off_is_truncated(self) -> None:
        swarm, (transport,) = self.joined()
        swarm.send()
        transport.lose(ConnectionLost())
        self.assertEqual(swarm.tally().failed, {"truncated": 1})
        self.assertTrue(swarm.over)

    def test_one_that_the_server_closes_before_all_was_sent_is_truncated(self) -> None:
        swarm, (transport,) = self.joined(packets=100)
        swarm.send()
        transport.lose(ConnectionDone())
        self.assertEqual(swarm.tally().failed, {"truncated": 1})
        self.assertEqual(swarm.tally().clean, 0)


class Sending(SwarmCase):
    def test_nothing_is_sent_before_the_order(self) -> None:
        _, (transport,) = self.joined()
        self.turn()
        self.assertEqual(transport.take(), b"")

    def test_every_connection_sends_its_packets_and_closes(self) -> None:
        swarm, transports = self.joined(2, packets=3)
        swarm.send()
        self.turn()
        for transport in transports:
            self.assertEqual(transport.take(), b"x" * 30)
            transport.turn()
        tally = swarm.tally()
        self.assertEqual((tally.sent, tally.packets, tally.clean), (60, 6, 2))
        self.assertEqual(tally.failed, {})
        self.assertTrue(swarm.over)

    def test_open_connections_are_counted_too(self) -> None:
        swarm, (transport, _) = self.joined(2, packets=3)
        swarm.send()
        self.turn()
        transport.deliver(b"answer")
        transport.take()
        self.assertEqual(swarm.tally().sent, 60)
        self.assertEqual(swarm.tally().received, 6)
        transport.turn()
        self.assertEqual(swarm.tally().sent, 60)
        self.assertEqual(swarm.tally().received, 6)

    def test_a_connection_that_is_still_being_made_does_not_send(self) -> None:
        swarm = self.opened(connections=2, packets=3)
        transport = self.attempts()[0].accept()
        swarm.send()
        self.turn()
        self.assertEqual(transport.take(), b"x" * 30)
        self.assertEqual(swarm.tally().sent, 30)


class Finishing(SwarmCase):
    def test_what_is_open_is_closed_in_order(self) -> None:
        swarm, transports = self.joined(2)
        swarm.finish()
        for transport in transports:
            self.assertTrue(transport.disconnecting)
            self.assertFalse(transport.aborted)
            transport.turn()
        self.assertEqual(swarm.tally().clean, 2)
        self.assertTrue(swarm.over)

    def test_what_is_being_opened_is_given_up(self) -> None:
        swarm = self.opened(connections=2, in_flight=1)
        swarm.finish()
        self.assertTrue(self.attempts()[0].given_up)
        self.assertEqual(swarm.tally().failed, {"aborted by us": 1})
        self.assertTrue(swarm.over)

    def test_nothing_more_is_opened(self) -> None:
        swarm = self.opened(connections=3, in_flight=1)
        swarm.finish()
        self.turn()
        self.assertEqual(len(self.attempts()), 1)

    def test_nothing_more_is_opened_at_a_rate(self) -> None:
        swarm = self.opened(connections=3, rate=1.0)
        swarm.finish()
        self.reactor.advance(1.0)
        self.assertEqual(len(self.attempts()), 1)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_before_anything_was_opened_it_is_over_at_once(self) -> None:
        swarm = self.swarm(connections=3)
        swarm.finish()
        self.assertTrue(swarm.over)

    def test_abort_closes_everything_at_once(self) -> None:
        swarm = self.opened(connections=2)
        transport = self.attempts()[0].accept()
        swarm.abort()
        self.assertTrue(transport.aborted)
        transport.turn()
        self.assertTrue(self.attempts()[1].given_up)
        self.assertEqual(swarm.tally().failed, {"aborted by us": 2})
        self.assertTrue(swarm.over)
