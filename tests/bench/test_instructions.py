from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.instructions import (
    MOVE,
    CannotCount,
    baseline_for,
    compare,
    counts_in,
    differences,
    least,
    moved,
)

HERE = {"Python": "3.11.7", "OpenSSL": "4.0.3"}
KNOWN = [
    {"versions": {"Python": "3.12.1", "OpenSSL": "3.5.0"}, "instructions": {"records": 5}},
    {"versions": {"Python": "3.11.7", "OpenSSL": "4.0.2"}, "instructions": {"records": 7}},
]


class CompareTests(SynchronousTestCase):
    def test_the_same_count_passes(self) -> None:
        verdict = compare({"records": 1_000_000}, {"records": 1_000_000})
        self.assertTrue(verdict.passed)
        self.assertEqual(
            list(verdict.lines), ["records: 1,000,000 instructions, +0.00 % of 1,000,000"]
        )

    def test_noise_passes(self) -> None:
        self.assertTrue(compare({"records": 1_000_000}, {"records": 1_002_000}).passed)

    def test_one_per_cent_more_fails(self) -> None:
        verdict = compare(
            {"handshakes": 1_000_000, "records": 1_000_000},
            {"handshakes": 1_000_000, "records": 1_010_000},
        )
        self.assertFalse(verdict.passed)
        self.assertNotIn("FAILED", verdict.lines[0])
        self.assertIn("FAILED, more than 0.5 % above", verdict.lines[1])

    def test_one_per_cent_less_passes_and_says_how_to_keep_it(self) -> None:
        verdict = compare({"records": 1_000_000}, {"records": 990_000})
        self.assertTrue(verdict.passed)
        self.assertIn(MOVE, verdict.lines[0])


class BaselineTests(SynchronousTestCase):
    def test_it_holds_for_exactly_its_versions(self) -> None:
        self.assertIsNone(baseline_for(KNOWN, HERE))
        self.assertEqual(baseline_for(KNOWN, {**HERE, "OpenSSL": "4.0.2"}), {"records": 7})

    def test_the_nearest_one_tells_what_differs(self) -> None:
        self.assertEqual(differences(KNOWN, HERE), ["OpenSSL: 4.0.2 there, 4.0.3 here"])
        self.assertEqual(differences([], HERE), [])

    def test_moving_it_keeps_those_of_other_versions(self) -> None:
        again = moved(moved(KNOWN, HERE, {"records": 8}), HERE, {"records": 9})
        self.assertEqual(again[:2], KNOWN)
        self.assertEqual(again[2:], [{"versions": HERE, "instructions": {"records": 9}}])


class CountsTests(SynchronousTestCase):
    def test_each_part_has_a_file(self) -> None:
        files = {
            "out": "desc: Trigger: Program termination\ntotals: 9\n",
            "out.1": "desc: Trigger: dump handshakes\ntotals: 604002872\n",
            "out.2": "desc: Trigger: dump records\ntotals: 141195380\n",
        }
        self.assertEqual(counts_in(files), {"handshakes": 604002872, "records": 141195380})

    def test_the_least_of_each_part_counts(self) -> None:
        counts = [{"handshakes": 5, "records": 8}, {"handshakes": 6, "records": 7}]
        self.assertEqual(least(counts), {"handshakes": 5, "records": 7})

    def test_a_missing_part_is_named(self) -> None:
        problem = self.assertRaises(CannotCount, counts_in, {"out": "totals: 9\n"})
        self.assertIn("handshakes, records", str(problem))
