from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.server.ledger import Account, Entry, Ledger


def opened(ledger: Ledger, address: str, received: int, backend: str | None = None) -> Entry:
    entry = ledger.open(address, lambda: received)
    entry.backend = backend
    return entry


class AnEntry(SynchronousTestCase):
    def test_grows_while_it_is_open_and_keeps_its_number_afterwards(self) -> None:
        received = 1
        entry = Ledger().open("a:1", lambda: received)
        received = 2
        self.assertEqual((entry.received(), entry.open, entry.failed), (2, True, False))
        entry.close(failed=False)
        received = 3
        self.assertEqual((entry.received(), entry.open, entry.failed), (2, False, False))

    def test_knows_that_its_connection_failed(self) -> None:
        entry = Ledger().open("a:1", lambda: 0)
        entry.close(failed=True)
        self.assertTrue(entry.failed)


class ALedger(SynchronousTestCase):
    def test_has_the_newest_entry_of_an_address(self) -> None:
        ledger = Ledger()
        opened(ledger, "a:1", 1)
        newest = opened(ledger, "a:1", 2)
        self.assertIs(ledger.get("a:1"), newest)
        self.assertEqual(len(ledger), 1)

    def test_forgets_the_oldest_when_it_is_full(self) -> None:
        ledger = Ledger(limit=2)
        for address in ("a:1", "a:2", "a:1", "a:3"):
            opened(ledger, address, 0)
        self.assertEqual(len(ledger), 2)
        self.assertIsNone(ledger.get("a:2"))
        self.assertIsNotNone(ledger.get("a:1"))
        self.assertIsNotNone(ledger.get("a:3"))


class AnAccount(SynchronousTestCase):
    def setUp(self) -> None:
        self.ledger, self.sink = Ledger(), Ledger()

    def test_adds_up_what_came_from_some_addresses_only(self) -> None:
        opened(self.ledger, "a:1", 10).close(failed=False)
        opened(self.ledger, "a:2", 20).close(failed=True)
        opened(self.ledger, "a:3", 40)
        opened(self.ledger, "b:1", 1000)
        self.assertEqual(
            self.ledger.account(["a:1", "a:2", "a:3", "a:4"], None),
            Account(received=70, arrived=70, open=1, failed=1, unknown=1),
        )

    def test_of_nobody_is_empty(self) -> None:
        self.assertEqual(self.ledger.account([], self.sink), Account())

    def test_tells_what_the_sink_got_where_there_is_one(self) -> None:
        opened(self.ledger, "a:1", 10, backend="s:1").close(failed=False)
        opened(self.sink, "s:1", 7).close(failed=False)
        self.assertEqual(self.ledger.account(["a:1"], self.sink), Account(received=10, arrived=7))

    def test_is_open_until_the_sink_has_got_the_end(self) -> None:
        near = opened(self.ledger, "a:1", 10, backend="s:1")
        far = opened(self.sink, "s:1", 7)
        for one in (near, far):
            self.assertEqual(self.ledger.account(["a:1"], self.sink).open, 1)
            one.close(failed=False)
        self.assertEqual(self.ledger.account(["a:1"], self.sink).open, 0)

    def test_is_open_until_the_sink_has_accepted_the_connection(self) -> None:
        near = opened(self.ledger, "a:1", 10, backend="s:1")
        self.assertEqual(self.ledger.account(["a:1"], self.sink).open, 1)
        near.close(failed=False)
        self.assertEqual(
            self.ledger.account(["a:1"], self.sink), Account(received=10, arrived=0, open=1)
        )

    def test_waits_for_no_sink_where_the_connection_failed_or_never_got_there(self) -> None:
        opened(self.ledger, "a:1", 10, backend="s:1").close(failed=True)
        opened(self.ledger, "a:2", 0).close(failed=True)
        opened(self.ledger, "a:3", 0).close(failed=False)
        self.assertEqual(
            self.ledger.account(["a:1", "a:2", "a:3"], self.sink), Account(received=10, failed=2)
        )
