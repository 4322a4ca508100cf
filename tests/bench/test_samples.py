from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.samples import Problem, Results, Sample, Spread, percentile


class SpreadTests(SynchronousTestCase):
    def test_the_median_and_the_extremes(self) -> None:
        self.assertEqual(Spread.of([3.0, 1.0, 2.0]), Spread(2.0, 1.0, 3.0))

    def test_of_nothing_there_is_none(self) -> None:
        self.assertIsNone(Spread.of([]))


class PercentileTests(SynchronousTestCase):
    def test_so_many_values_do_not_exceed_it(self) -> None:
        values = range(100, 0, -1)
        self.assertEqual([percentile(values, part) for part in (0.5, 0.99, 1.0)], [50, 99, 100])

    def test_of_few_values_the_highest_is_their_99th(self) -> None:
        self.assertEqual(percentile([4.0, 7.0], 0.99), 7.0)

    def test_of_no_values_there_is_none(self) -> None:
        self.assertRaises(ValueError, percentile, [], 0.5)


class ResultsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.results = Results(
            {"kernel": "Linux"},
            {"pair": "tlsdemo"},
            {"records": ["1 of 2 B"]},
            [
                Sample("records", "1 of 2 B", "pair", number, {"cpu": value})
                for number, value in enumerate((3.0, 1.0, 2.0), start=1)
            ],
            [
                Problem("records", "1 of 2 B", "node", 1, "there is no program node", False),
                Problem("records", "1 of 2 B", "nginx", 1, "it has ended", True),
            ],
        )

    def test_a_median_is_over_all_rounds(self) -> None:
        self.assertEqual(self.results.median("records", "1 of 2 B", "pair", "cpu"), 2.0)

    def test_what_was_not_measured_has_none(self) -> None:
        for case, peer, metric in (
            ("1 of 3 B", "pair", "cpu"),
            ("1 of 2 B", "node", "cpu"),
            ("1 of 2 B", "pair", "memory"),
        ):
            self.assertIsNone(self.results.median("records", case, peer, metric))

    def test_it_knows_why_something_is_missing(self) -> None:
        why = self.results.why_missing("records", "1 of 2 B", "node")
        self.assertEqual(why, "there is no program node")
        self.assertIsNone(self.results.why_missing("records", "1 of 2 B", "pair"))

    def test_what_is_not_installed_is_no_fault(self) -> None:
        self.assertEqual([each.peer for each in self.results.faults], ["nginx"])

    def test_json_keeps_everything(self) -> None:
        self.assertEqual(Results.from_json(self.results.as_json()), self.results)
