from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.fair_polling import serve_in_turn


class Pipe(FileDescriptor):
    """One that is readable for ever once it has been filled; ``log`` has when it is read.

    ``then`` is called the first time.
    """

    def __init__(self, case: SynchronousTestCase, reactor: Any, log: list[Pipe]) -> None:
        super().__init__(reactor)
        self._log = log
        self.then: Callable[[], object] = lambda: None
        self._ends = os.pipe()
        for end in self._ends:
            case.addCleanup(os.close, end)

    def fileno(self) -> int:
        return self._ends[0]

    def fill(self) -> None:
        os.write(self._ends[1], b"x")

    def doRead(self) -> None:  # noqa: N802
        self._log.append(self)
        self.then()
        self.then = lambda: None


class FairPollingTests(SynchronousTestCase):
    if not hasattr(select, "epoll"):
        skip = "there is no epoll"

    def setUp(self) -> None:
        from twisted.internet.epollreactor import EPollReactor

        self.reactor: Any = EPollReactor()
        self.addCleanup(lambda: self.reactor._poller.close())
        self.log: list[Pipe] = []
        self.pipes = [Pipe(self, self.reactor, self.log) for _ in range(20)]
        for each in self.pipes:
            each.startReading()
        for each in self.pipes[1:]:
            each.fill()

    def turn(self) -> list[Pipe]:
        self.reactor.doIteration(0)
        served = self.log[:]
        self.log.clear()
        return served

    def test_a_few_are_served_at_a_time_and_all_in_turn(self) -> None:
        serve_in_turn(self.reactor, 4)
        served = []
        for _ in range(5):
            now = self.turn()
            self.assertLessEqual(len(now), 4)
            served += now
        self.assertEqual(set(served), set(self.pipes[1:]))

    def test_one_that_becomes_ready_waits_for_each_other_once(self) -> None:
        """With all served in one turn it would wait for the rest of that and all of the next."""
        serve_in_turn(self.reactor, 4)
        self.pipes[3].then = self.pipes[0].fill
        waited: list[Pipe] = []
        while self.pipes[0] not in waited:
            waited += self.turn()
        since = waited[waited.index(self.pipes[3]) : waited.index(self.pipes[0])]
        self.assertLessEqual(len(since), len(self.pipes) + 4)

    def test_descriptors_can_be_removed_and_changed(self) -> None:
        serve_in_turn(self.reactor)
        for each in self.pipes[2:]:
            each.stopReading()
        self.pipes[1].startWriting()
        self.pipes[1].stopWriting()
        self.assertEqual(self.turn(), [self.pipes[1]])

    def test_it_is_done_once(self) -> None:
        serve_in_turn(self.reactor)
        poller = self.reactor._poller
        serve_in_turn(self.reactor)
        self.assertIs(self.reactor._poller, poller)

    def test_other_reactors_are_left_as_they_are(self) -> None:
        clock = Clock()
        serve_in_turn(clock)
        self.assertFalse(hasattr(clock, "_poller"))
