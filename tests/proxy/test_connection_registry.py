from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.connection_registry import ConnectionRecord, ConnectionRegistry, ConnectionTotals


def opened(
    registry: ConnectionRegistry, address: str, received: int, backend: str | None = None
) -> ConnectionRecord:
    record = registry.open(address, lambda: received)
    record.backend = backend
    return record


class AnEntry(SynchronousTestCase):
    def test_grows_while_it_is_open_and_keeps_its_number_afterwards(self) -> None:
        received = 1
        record = ConnectionRegistry().open("a:1", lambda: received)
        received = 2
        self.assertEqual((record.received(), record.open, record.failed), (2, True, False))
        record.close(failed=False)
        received = 3
        self.assertEqual((record.received(), record.open, record.failed), (2, False, False))

    def test_knows_that_its_connection_failed(self) -> None:
        record = ConnectionRegistry().open("a:1", lambda: 0)
        record.close(failed=True)
        self.assertTrue(record.failed)


class ALedger(SynchronousTestCase):
    def test_has_the_newest_entry_of_an_address(self) -> None:
        registry = ConnectionRegistry()
        opened(registry, "a:1", 1)
        newest = opened(registry, "a:1", 2)
        self.assertIs(registry.get("a:1"), newest)
        self.assertEqual(len(registry), 1)

    def test_forgets_the_oldest_when_it_is_full(self) -> None:
        registry = ConnectionRegistry(limit=2)
        for address in ("a:1", "a:2", "a:1", "a:3"):
            opened(registry, address, 0)
        self.assertEqual(len(registry), 2)
        self.assertIsNone(registry.get("a:2"))
        self.assertIsNotNone(registry.get("a:1"))
        self.assertIsNotNone(registry.get("a:3"))


class AnConnectionTotals(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry, self.sink = ConnectionRegistry(), ConnectionRegistry()

    def test_adds_up_what_came_from_some_addresses_only(self) -> None:
        opened(self.registry, "a:1", 10).close(failed=False)
        opened(self.registry, "a:2", 20).close(failed=True)
        opened(self.registry, "a:3", 40)
        opened(self.registry, "b:1", 1000)
        self.assertEqual(
            self.registry.totals(["a:1", "a:2", "a:3", "a:4"], None),
            ConnectionTotals(received=70, arrived=70, open=1, failed=1, unknown=1),
        )

    def test_of_nobody_is_empty(self) -> None:
        self.assertEqual(self.registry.totals([], self.sink), ConnectionTotals())

    def test_tells_what_the_sink_got_where_there_is_one(self) -> None:
        opened(self.registry, "a:1", 10, backend="s:1").close(failed=False)
        opened(self.sink, "s:1", 7).close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1"], self.sink), ConnectionTotals(received=10, arrived=7)
        )

    def test_is_open_until_the_sink_has_got_the_end(self) -> None:
        near = opened(self.registry, "a:1", 10, backend="s:1")
        far = opened(self.sink, "s:1", 7)
        for one in (near, far):
            self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 1)
            one.close(failed=False)
        self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 0)

    def test_is_open_until_the_sink_has_accepted_the_connection(self) -> None:
        near = opened(self.registry, "a:1", 10, backend="s:1")
        self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 1)
        near.close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1"], self.sink),
            ConnectionTotals(received=10, arrived=0, open=1),
        )

    def test_waits_for_no_sink_where_the_connection_failed_or_never_got_there(self) -> None:
        opened(self.registry, "a:1", 10, backend="s:1").close(failed=True)
        opened(self.registry, "a:2", 0).close(failed=True)
        opened(self.registry, "a:3", 0).close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1", "a:2", "a:3"], self.sink),
            ConnectionTotals(received=10, failed=2),
        )
