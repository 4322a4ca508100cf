"""A connection pool in mode ``clear``, whose connections are played by the test."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import Attempt, FakeReactor, task
from tests.support import MemoryTransport
from tests.tls.memory_ends import client_tls
from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.recorder import Recorder


class ConnectionPoolCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()

    def pool(self, **changes: Any) -> ConnectionPool:
        return ConnectionPool(
            task(**changes), client_tls(), self.reactor, Recorder(self.reactor.seconds)
        )

    def opened(self, **changes: Any) -> ConnectionPool:
        pool = self.pool(**changes)
        pool.open()
        return pool

    def attempts(self) -> list[Attempt]:
        return self.reactor.attempts()

    def joined(
        self, count: int = 1, **changes: Any
    ) -> tuple[ConnectionPool, list[MemoryTransport]]:
        pool = self.opened(connections=count, **changes)
        return pool, [attempt.accept() for attempt in self.attempts()]

    def turn(self) -> None:
        self.reactor.advance(0)
