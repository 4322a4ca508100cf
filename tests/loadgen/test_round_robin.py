from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import TurningClock
from tlsdemo.loadgen.round_robin import PACKETS_A_TURN, RoundRobin


class FakeSender:
    """Has so many packets ``left``, and writes down its bursts in ``log``."""

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


class TurnsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = TurningClock()
        self.log: list[tuple[str, int]] = []
        self.turns = RoundRobin(self.clock, burst=4)

    def sender(self, name: str, left: int) -> Any:
        return FakeSender(name, left, self.log)

    def names(self) -> list[str]:
        return [name for name, _ in self.log]

    def test_nothing_is_written_before_the_reactor_has_its_turn(self) -> None:
        self.turns.want(self.sender("a", 8))
        self.assertEqual(self.log, [])

    def test_every_sender_gets_its_burst_before_one_gets_its_second(self) -> None:
        for name in "abc":
            self.turns.want(self.sender(name, 8))
        for _ in range(5):
            self.clock.turn()
        self.assertEqual(self.log, [(name, 4) for name in "abcabc"])

    def test_it_goes_on_until_nobody_can_send(self) -> None:
        self.turns.want(self.sender("a", 9))
        while self.clock.getDelayedCalls():
            self.clock.turn()
        self.assertEqual(self.log, [("a", 4), ("a", 4), ("a", 1)])

    def test_one_that_wants_twice_has_one_turn(self) -> None:
        sender = self.sender("a", 4)
        self.turns.want(sender)
        self.turns.want(sender)
        self.clock.turn()
        self.clock.turn()
        self.assertEqual(self.log, [("a", 4)])

    def test_a_paused_one_waits_and_does_not_hold_up_the_others(self) -> None:
        paused, other = self.sender("paused", 8), self.sender("other", 8)
        paused.paused = True
        self.turns.want(paused)
        self.turns.want(other)
        for _ in range(4):
            self.clock.turn()
        self.assertEqual(self.log, [("paused", 0), ("other", 4), ("other", 4)])

    def test_a_paused_one_goes_on_when_it_wants_to_again(self) -> None:
        sender = self.sender("a", 8)
        sender.paused = True
        self.turns.want(sender)
        self.clock.turn()
        sender.paused = False
        self.turns.want(sender)
        self.clock.turn()
        self.assertEqual(self.log, [("a", 0), ("a", 4)])

    def test_a_turn_writes_no_more_than_the_reactor_can_wait_for(self) -> None:
        many = 3 * PACKETS_A_TURN // 4
        for number in range(many):
            self.turns.want(self.sender(str(number), 4))
        self.clock.turn()
        self.assertEqual(len(self.log), PACKETS_A_TURN // 4)
        while self.clock.getDelayedCalls():
            self.clock.turn()
        self.assertEqual(self.names(), [str(number) for number in range(many)])

    def test_a_burst_beyond_that_is_still_a_turn(self) -> None:
        turns = RoundRobin(self.clock, burst=10 * PACKETS_A_TURN)
        turns.want(self.sender("a", 1))
        turns.want(self.sender("b", 1))
        self.clock.turn()
        self.assertEqual(self.names(), ["a"])
        self.clock.turn()
        self.assertEqual(self.names(), ["a", "b"])
