from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.cost_differences import METRICS, Difference, differences
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult, ServerSnapshots
from tlsdemo.reporting.snapshot import Snapshot

MEGABYTE = 1_000_000


def run(cpu: float, known: bool = True) -> RunResult:
    """Return a run with ``cpu`` seconds for each of ten connections and for its 1 MB."""
    secured = Snapshot(cpu=10 * cpu, opened=10)
    drained = Snapshot(cpu=11 * cpu, opened=10, bytes_in=MEGABYTE, events=100, records=200)
    phases = ServerSnapshots(Snapshot(), secured, drained) if known else None
    return RunResult("pair", 10, LoadCounters(sent=MEGABYTE), 1.0, 1.0, MEGABYTE, phases)


def by_name(found: list[Difference]) -> dict[str, Difference]:
    return {each.metric.name: each for each in found}


class Differences(SynchronousTestCase):
    def test_are_found_for_each_metric_of_each_mode(self) -> None:
        runs = {"pair": [run(1.0)], "clear": [run(1.0)]}
        found = [(each.mode, each.metric) for each in differences(runs, runs)]
        self.assertEqual(found, [(mode, each) for mode in runs for each in METRICS])

    def test_hold_the_means_and_the_ratio_of_the_rounds(self) -> None:
        baseline, candidate = [run(0.001), run(0.003)], [run(0.002), run(0.006)]
        found = by_name(list(differences({"pair": baseline}, {"pair": candidate})))
        cost = found["CPU per MB, ms"]
        assert cost.ratio is not None and cost.baseline is not None and cost.candidate is not None
        self.assertAlmostEqual(cost.baseline, 0.002)
        self.assertAlmostEqual(cost.candidate, 0.004)
        self.assertAlmostEqual(cost.ratio.value, 2.0)
        self.assertEqual(cost.text, "2.00 (2.00 to 2.00): candidate costs more")
        self.assertEqual(cost.metric.format(cost.candidate), "4.0")
        self.assertEqual(found["CPU per connection, ms"].metric.format(cost.candidate), "4.00")
        self.assertEqual(found["bytes per event"].baseline, 10_000.0)
        self.assertEqual(found["records per event"].text,
                         "1.00 (1.00 to 1.00): no significant difference")  # fmt: skip

    def test_ignore_a_round_that_was_completed_on_one_side_only(self) -> None:
        found = by_name(list(differences({"pair": [run(1.0)] * 3}, {"pair": [run(2.0)] * 2})))
        ratio = found["CPU per MB, ms"].ratio
        assert ratio is not None
        self.assertEqual(ratio.rounds, 2)

    def test_are_unknown_without_counters_of_the_server(self) -> None:
        runs = {"pair": [run(1.0, known=False)] * 2}
        cost = by_name(list(differences(runs, runs)))["CPU per MB, ms"]
        self.assertEqual((cost.baseline, cost.candidate, cost.ratio), (None, None, None))
        self.assertEqual(cost.text, "unknown")
        self.assertEqual(cost.metric.format(cost.baseline), "—")

    def test_are_unknown_for_a_mode_without_runs_of_the_candidate(self) -> None:
        for each in differences({"pair": [run(1.0)]}, {}):
            self.assertIsNone(each.ratio)

    def test_have_their_fields_as_json(self) -> None:
        first, *_ = differences({"pair": [run(1.0)] * 2}, {"pair": [run(2.0)] * 2})
        values = first.as_json()
        self.assertEqual((values["mode"], values["figure"]), ("pair", "CPU per MB"))
        self.assertEqual((values["here"], values["there"]), (1.0, 2.0))
        self.assertEqual(values["ratio"]["rounds"], 2)
        self.assertEqual(values["text"], first.text)
