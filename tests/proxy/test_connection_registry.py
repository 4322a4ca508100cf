from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.connection_registry import ConnectionRecord, ConnectionRegistry, ConnectionTotals


def opened(
    registry: ConnectionRegistry, address: str, received: int, backend: str | None = None
) -> ConnectionRecord:
    record = registry.open(address, lambda: received)
    record.backend = backend
    return record


class ConnectionRecordTests(SynchronousTestCase):
    def test_received_grows_while_open_and_is_kept_afterwards(self) -> None:
        received = 1
        record = ConnectionRegistry().open("a:1", lambda: received)
        received = 2
        self.assertEqual((record.received(), record.open, record.failed), (2, True, False))
        record.close(failed=False)
        received = 3
        self.assertEqual((record.received(), record.open, record.failed), (2, False, False))

    def test_a_failure_is_recorded(self) -> None:
        record = ConnectionRegistry().open("a:1", lambda: 0)
        record.close(failed=True)
        self.assertTrue(record.failed)


class ConnectionRegistryTests(SynchronousTestCase):
    def test_the_newest_record_of_an_address_is_found(self) -> None:
        registry = ConnectionRegistry()
        opened(registry, "a:1", 1)
        newest = opened(registry, "a:1", 2)
        self.assertIs(registry.get("a:1"), newest)
        self.assertEqual(len(registry), 1)

    def test_the_oldest_record_is_forgotten_above_the_limit(self) -> None:
        registry = ConnectionRegistry(limit=2)
        for address in ("a:1", "a:2", "a:1", "a:3"):
            opened(registry, address, 0)
        self.assertEqual(len(registry), 2)
        self.assertIsNone(registry.get("a:2"))
        self.assertIsNotNone(registry.get("a:1"))
        self.assertIsNotNone(registry.get("a:3"))


class TotalsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry, self.sink = ConnectionRegistry(), ConnectionRegistry()

    def test_only_the_given_addresses_are_counted(self) -> None:
        opened(self.registry, "a:1", 10).close(failed=False)
        opened(self.registry, "a:2", 20).close(failed=True)
        opened(self.registry, "a:3", 40)
        opened(self.registry, "b:1", 1000)
        self.assertEqual(
            self.registry.totals(["a:1", "a:2", "a:3", "a:4"], None),
            ConnectionTotals(received=70, arrived=70, open=1, failed=1, unknown=1),
        )

    def test_without_addresses_the_totals_are_zero(self) -> None:
        self.assertEqual(self.registry.totals([], self.sink), ConnectionTotals())

    def test_arrived_is_what_the_sink_has_received(self) -> None:
        opened(self.registry, "a:1", 10, backend="s:1").close(failed=False)
        opened(self.sink, "s:1", 7).close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1"], self.sink), ConnectionTotals(received=10, arrived=7)
        )

    def test_a_connection_is_open_until_the_sink_has_received_the_end(self) -> None:
        client = opened(self.registry, "a:1", 10, backend="s:1")
        to_backend = opened(self.sink, "s:1", 7)
        for one in (client, to_backend):
            self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 1)
            one.close(failed=False)
        self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 0)

    def test_a_connection_is_open_until_the_sink_has_accepted_it(self) -> None:
        client = opened(self.registry, "a:1", 10, backend="s:1")
        self.assertEqual(self.registry.totals(["a:1"], self.sink).open, 1)
        client.close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1"], self.sink),
            ConnectionTotals(received=10, arrived=0, open=1),
        )

    def test_a_failed_connection_does_not_wait_for_the_sink(self) -> None:
        opened(self.registry, "a:1", 10, backend="s:1").close(failed=True)
        opened(self.registry, "a:2", 0).close(failed=True)
        opened(self.registry, "a:3", 0).close(failed=False)
        self.assertEqual(
            self.registry.totals(["a:1", "a:2", "a:3"], self.sink),
            ConnectionTotals(received=10, failed=2),
        )
