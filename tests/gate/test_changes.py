from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.gate.matrices import cell, findings, matrix
from tlsdemo.gate.changes import (
    Change,
    confirmed,
    cost_changes,
    event_changes,
    finding_changes,
)


class Events(SynchronousTestCase):
    def test_the_same_is_no_change(self) -> None:
        same = matrix(cell(server=["secure", "closed"]))
        self.assertEqual(event_changes("events", same, same), [])

    def test_only_what_parts_is_shown_and_equal_changes_are_one(self) -> None:
        old = [cell(way, ["a", "b", "secure", "x", "y", "z"]) for way in ("ok", "RST", "garbage")]
        new = [cell(way, ["a", "b", "failed", "x", "y", "z"]) for way in ("ok", "RST", "garbage")]
        (change,) = event_changes("events", matrix(*old), matrix(*new))
        self.assertEqual(
            change.sentence(),
            "server, in starttls 1.3 ok tlsdemo; starttls 1.3 RST tlsdemo; and 1 more: "
            "it was … → b → secure → x → …; it is … → b → failed → x → …",
        )
        self.assertEqual(
            change.key,
            "events, server: … → b → secure → x → … => … → b → failed → x → …",
        )

    def test_what_is_gone_entirely(self) -> None:
        (change,) = event_changes("events", matrix(cell(client=["a"])), matrix(cell()))
        self.assertEqual((change.what, change.baseline, change.candidate),
                         ("client", "a", "no events"))  # fmt: skip

    def test_records_alone_are_not_noticed_by_an_application(self) -> None:
        old, new = matrix(cell(wire=["client alert"])), matrix(cell())
        self.assertEqual(event_changes("events", old, new), [])

    def test_a_connection_that_one_side_lacks(self) -> None:
        (change,) = event_changes("events", matrix(cell()), matrix())
        self.assertEqual((change.what, change.baseline, change.candidate),
                         ("connection", "there", "missing"))  # fmt: skip


class Findings(SynchronousTestCase):
    def test_a_verdict_that_differs(self) -> None:
        old, new = findings(a="still so", b="still so"), findings(a="still so", b="not yet so")
        (change,) = finding_changes(old, new)
        self.assertEqual(change.sentence(), "b: it was still so; it is not yet so")

    def test_what_shows_a_verdict_does_not_name_the_change(self) -> None:
        # It may be a duration, which is never the same.
        old, new = findings("1 ms, 2 ms", a="still so"), findings("5 ms", a="not yet so")
        (change,) = finding_changes(old, new)
        self.assertEqual(
            change.sentence(), "a: it was still so (1 ms, 2 ms); it is not yet so (5 ms)"
        )
        self.assertEqual(change.key, "findings, a: still so => not yet so")

    def test_a_reproduction_that_crashed_is_a_failure(self) -> None:
        old, new = findings(a="still so"), findings(a="cannot tell")
        for sides in (old, new), (new, old):
            (change,) = finding_changes(*sides)
            self.assertTrue(change.is_failure)

    def test_what_a_version_does_not_have_is_a_change_with_the_reason(self) -> None:
        old, new = findings(a="still so"), findings(reason="there are no groups", a="cannot tell")
        (change,) = finding_changes(old, new)
        self.assertFalse(change.is_failure)
        self.assertEqual(
            change.sentence(), "a: it was still so; it is cannot tell (there are no groups)"
        )


class Costs(SynchronousTestCase):
    def test_a_few_bytes_more_are_a_signature(self) -> None:
        old, new = (matrix(cell(sizes=[("client", size)])) for size in (1000, 1040))
        self.assertEqual(cost_changes(old, new), [])

    def test_many_bytes_more(self) -> None:
        old = matrix(cell(sizes=[("client", 200), ("client", 90), ("server", 1000)]), cell("RST"))
        new = matrix(cell(sizes=[("client", 1530), ("server", 1000)]))
        (change,) = cost_changes(old, new)
        self.assertEqual(
            change.sentence(),
            "bytes that a client sends, in starttls 1.3 ok tlsdemo: it was 290 B; it is 1530 B",
        )

    def test_a_few_bytes_more_are_the_same_change(self) -> None:
        old, new = matrix(cell(sizes=[("client", 290)])), matrix(cell(sizes=[("client", 1530)]))
        (change,) = cost_changes(old, new)
        self.assertTrue(change.is_called(change.key))
        self.assertTrue(change.is_called(change.key.replace("290", "292").replace("1530", "1528")))
        self.assertFalse(change.is_called(change.key.replace("1530", "1700")))
        self.assertFalse(change.is_called(change.key.replace("client", "server")))

    def test_what_one_side_lacks_is_another_change(self) -> None:
        self.assertEqual(cost_changes(matrix(cell(sizes=[("client", 1)])), matrix()), [])


class Confirmation(SynchronousTestCase):
    def test_keeps_the_connections_that_differ_again(self) -> None:
        first = Change("events", "server", "a", "b", ("one", "two"))
        self.assertEqual(confirmed([first], []), [])
        again = Change("events", "server", "a", "c", ("two",))
        other = Change("events", "client", "a", "b", ("one",))
        self.assertEqual(
            confirmed([first], [again, other]), [Change("events", "server", "a", "b", ("two",))]
        )

    def test_keeps_a_finding_that_differs_again(self) -> None:
        finding = Change("findings", "a", "still so", "not yet so")
        self.assertEqual(confirmed([finding], [finding]), [finding])
