"""A swarm in mode ``clear``, played by hand."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.load.fakes import Attempt, FakeReactor, task
from tests.support import MemoryTransport
from tlsdemo.load.swarm import Swarm

NOTHING: Any = None
"""What mode ``clear`` makes of TLS settings."""


class SwarmCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()

    def swarm(self, **changes: Any) -> Swarm:
        return Swarm(task(**changes), NOTHING, self.reactor)

    def opened(self, **changes: Any) -> Swarm:
        swarm = self.swarm(**changes)
        swarm.open()
        return swarm

    def attempts(self) -> list[Attempt]:
        return self.reactor.attempts()

    def joined(self, count: int = 1, **changes: Any) -> tuple[Swarm, list[MemoryTransport]]:
        swarm = self.opened(connections=count, **changes)
        return swarm, [attempt.accept() for attempt in self.attempts()]

    def turn(self) -> None:
        self.reactor.advance(0)
