from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.cost_differences import FIGURES, Difference, differences
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import Phases, RunResult
from tlsdemo.reporting.snapshot import Snapshot

MEGABYTE = 1_000_000


def run(cpu: float, known: bool = True) -> RunResult:
    """A run of ten connections and 1 MB, that cost ``cpu`` seconds for each of both."""
    secured = Snapshot(cpu=10 * cpu, opened=10)
    drained = Snapshot(cpu=11 * cpu, opened=10, bytes_in=MEGABYTE, events=100, records=200)
    phases = Phases(Snapshot(), secured, drained) if known else None
    return RunResult("pair", 10, LoadCounters(sent=MEGABYTE), 1.0, 1.0, MEGABYTE, phases)


def by_name(found: list[Difference]) -> dict[str, Difference]:
    return {each.figure.name: each for each in found}


class Differences(SynchronousTestCase):
    def test_are_told_of_each_figure_of_each_mode(self) -> None:
        runs = {"pair": [run(1.0)], "clear": [run(1.0)]}
        found = [(each.mode, each.figure) for each in differences(runs, runs)]
        self.assertEqual(found, [(mode, each) for mode in runs for each in FIGURES])

    def test_hold_the_means_and_the_ratio_of_the_rounds(self) -> None:
        here, there = [run(0.001), run(0.003)], [run(0.002), run(0.006)]
        found = by_name(list(differences({"pair": here}, {"pair": there})))
        cost = found["CPU per MB, ms"]
        assert cost.ratio is not None and cost.here is not None and cost.there is not None
        self.assertAlmostEqual(cost.here, 0.002)
        self.assertAlmostEqual(cost.there, 0.004)
        self.assertAlmostEqual(cost.ratio.value, 2.0)
        self.assertEqual(cost.wording, "2.00 (2.00 to 2.00): dearer there")
        self.assertEqual(cost.figure.written(cost.there), "4.0")
        self.assertEqual(found["CPU per connection, ms"].figure.written(cost.there), "4.00")
        self.assertEqual(found["bytes per event"].here, 10_000.0)
        self.assertEqual(found["records per event"].wording,
                         "1.00 (1.00 to 1.00): no difference to be seen")  # fmt: skip

    def test_leave_out_a_round_that_only_one_side_came_to(self) -> None:
        found = by_name(list(differences({"pair": [run(1.0)] * 3}, {"pair": [run(2.0)] * 2})))
        ratio = found["CPU per MB, ms"].ratio
        assert ratio is not None
        self.assertEqual(ratio.rounds, 2)

    def test_are_not_known_where_the_server_told_nothing(self) -> None:
        runs = {"pair": [run(1.0, known=False)] * 2}
        cost = by_name(list(differences(runs, runs)))["CPU per MB, ms"]
        self.assertEqual((cost.here, cost.there, cost.ratio), (None, None, None))
        self.assertEqual(cost.wording, "not known")
        self.assertEqual(cost.figure.written(cost.here), "—")

    def test_are_not_known_of_a_mode_that_never_had_its_turn_there(self) -> None:
        for each in differences({"pair": [run(1.0)]}, {}):
            self.assertIsNone(each.ratio)

    def test_can_be_carried_by_json(self) -> None:
        first, *_ = differences({"pair": [run(1.0)] * 2}, {"pair": [run(2.0)] * 2})
        values = first.as_json()
        self.assertEqual((values["mode"], values["figure"]), ("pair", "CPU per MB"))
        self.assertEqual((values["here"], values["there"]), (1.0, 2.0))
        self.assertEqual(values["ratio"]["rounds"], 2)
        self.assertEqual(values["text"], first.wording)
