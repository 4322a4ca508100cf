from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import TurningClock
from tlsdemo.loadgen.round_robin import PACKETS_PER_ITERATION, RoundRobin


class FakeSender:
    """Has ``left`` packets to send, and records its bursts in ``log``."""

    def __init__(self, name: str, left: int, log: list[tuple[str, int]]) -> None:
        self.name = name
        self.left = left
        self.log = log
        self.paused = False

    @property
    def can_send(self) -> bool:
        return self.left > 0 and not self.paused

    def burst(self, most: int) -> None:
        count = min(most, self.left) if not self.paused else 0
        self.left -= count
        self.log.append((self.name, count))


class RoundRobinTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = TurningClock()
        self.log: list[tuple[str, int]] = []
        self.round_robin = RoundRobin(self.clock, burst=4)

    def sender(self, name: str, left: int) -> Any:
        return FakeSender(name, left, self.log)

    def names(self) -> list[str]:
        return [name for name, _ in self.log]

    def test_nothing_is_written_before_the_next_iteration_of_the_reactor(self) -> None:
        self.round_robin.want(self.sender("a", 8))
        self.assertEqual(self.log, [])

    def test_every_sender_writes_its_first_burst_before_any_writes_its_second(self) -> None:
        for name in "abc":
            self.round_robin.want(self.sender(name, 8))
        for _ in range(5):
            self.clock.turn()
        self.assertEqual(self.log, [(name, 4) for name in "abcabc"])

    def test_few_senders_write_several_bursts_in_an_iteration(self) -> None:
        for name in "ab":
            self.round_robin.want(self.sender(name, 8))
        self.clock.turn()
        self.assertEqual(self.log, [(name, 4) for name in "abab"])

    def test_it_continues_until_no_sender_can_send(self) -> None:
        self.round_robin.want(self.sender("a", 9))
        while self.clock.getDelayedCalls():
            self.clock.turn()
        self.assertEqual(self.log, [("a", 4), ("a", 4), ("a", 1)])

    def test_a_sender_that_is_queued_twice_writes_once(self) -> None:
        sender = self.sender("a", 4)
        self.round_robin.want(sender)
        self.round_robin.want(sender)
        self.clock.turn()
        self.clock.turn()
        self.assertEqual(self.log, [("a", 4)])

    def test_a_paused_sender_does_not_block_the_others(self) -> None:
        paused, other = self.sender("paused", 8), self.sender("other", 8)
        paused.paused = True
        self.round_robin.want(paused)
        self.round_robin.want(other)
        for _ in range(4):
            self.clock.turn()
        self.assertEqual(self.log, [("paused", 0), ("other", 4), ("other", 4)])

    def test_a_paused_sender_continues_when_it_is_queued_again(self) -> None:
        sender = self.sender("a", 8)
        sender.paused = True
        self.round_robin.want(sender)
        self.clock.turn()
        sender.paused = False
        self.round_robin.want(sender)
        self.clock.turn()
        self.assertEqual(self.log, [("a", 0), ("a", 4), ("a", 4)])

    def test_the_packets_of_an_iteration_are_limited(self) -> None:
        many = 3 * PACKETS_PER_ITERATION // 4
        for number in range(many):
            self.round_robin.want(self.sender(str(number), 4))
        self.clock.turn()
        self.assertEqual(len(self.log), PACKETS_PER_ITERATION // 4)
        while self.clock.getDelayedCalls():
            self.clock.turn()
        self.assertEqual(self.names(), [str(number) for number in range(many)])

    def test_a_burst_above_that_limit_is_still_written(self) -> None:
        round_robin = RoundRobin(self.clock, burst=10 * PACKETS_PER_ITERATION)
        round_robin.want(self.sender("a", 1))
        round_robin.want(self.sender("b", 1))
        self.clock.turn()
        self.assertEqual(self.names(), ["a"])
        self.clock.turn()
        self.assertEqual(self.names(), ["a", "b"])
