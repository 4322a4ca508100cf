from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.open_connections import OpenConnections


class OpenConnectionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.open: OpenConnections[str] = OpenConnections()

    def test_it_waits_until_none_is_open(self) -> None:
        self.successResultOf(self.open.when_none())
        for name in ("one", "two"):
            self.open.add(name)
        waiting = [self.open.when_none(), self.open.when_none()]
        self.open.remove("one")
        for deferred in waiting:
            self.assertNoResult(deferred)
        self.open.remove("two")
        for deferred in waiting:
            self.successResultOf(deferred)
        self.open.add("three")
        self.assertNoResult(self.open.when_none())

    def test_connections_may_end_during_an_iteration(self) -> None:
        for name in ("one", "two"):
            self.open.add(name)
        seen = []
        for name in self.open:
            self.open.remove(name)
            seen.append(name)
        self.assertEqual(seen, ["one", "two"])
