from __future__ import annotations

import random
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import run, window
from tests.reporting.measured_runs import FIGURES, alternating
from tlsdemo.reporting.confidence import Ratio
from tlsdemo.reporting.run_comparison import (
    NOISE,
    TOO_FEW,
    FigureRatio,
    RunComparison,
    change_text,
    comparison_lines,
    is_rate,
)
from tlsdemo.reporting.run_document import MeasuredRun, Side, sides


class AComparison(SynchronousTestCase):
    def compared(self, rounds: int, slower: float = 1.0) -> RunComparison:
        return RunComparison(*alternating(random.Random(3), rounds, slower))

    def test_of_what_is_alike_is_within_the_noise(self) -> None:
        figures = self.compared(8).figures()
        self.assertEqual([each.name for each in figures], [*FIGURES])
        self.assertEqual({each.verdict for each in figures}, {NOISE})

    def test_says_what_is_worse_and_better(self) -> None:
        worse = self.compared(8, slower=1.3)
        self.assertEqual({each.verdict for each in worse.figures()}, {"WORSE"})
        better = RunComparison(worse.candidate, worse.baseline)
        self.assertEqual({each.verdict for each in better.figures()}, {"better"})
        (rate,) = [each for each in worse.figures() if is_rate(each.name)]
        self.assertTrue(-0.28 < rate.change < -0.18, rate.change)

    def test_of_runs_that_did_not_alternate_sees_the_drift_of_the_machine(self) -> None:
        paired = self.compared(8, slower=1.05)
        self.assertEqual({each.verdict for each in paired.figures()}, {"WORSE"})
        apart = RunComparison(paired.baseline, replace(paired.candidate, document="b.json"))
        self.assertEqual({each.verdict for each in apart.figures()}, {NOISE})
        self.assertIn("the runs did not alternate", "\n".join(apart.notes()))

    def test_of_one_run_each_has_no_verdict_but_what_the_samples_alone_tell(self) -> None:
        (first,) = sides("a.json", {"runs": [run([window(count=2000)], opening=None).as_json()]})
        (second,) = sides("b.json", {"runs": [run([window(count=2000)], opening=None).as_json()]})
        figures = {each.name: each for each in RunComparison(first, second).figures()}
        self.assertEqual({each.verdict for each in figures.values()}, {TOO_FEW})
        sampling = figures["p99(handshake)"].sampling
        assert sampling is not None
        self.assertTrue(0.5 < sampling[0] < 1 < sampling[1] < 2, sampling)
        self.assertIsNone(figures["handshakes/s"].sampling)
        text = "\n".join(comparison_lines(RunComparison(first, second)))
        self.assertIn("+0.0% (samples alone -", text)
        self.assertIn("note: failed connections: 5 and 5", text)
        self.assertIn("give --repeat=5 or more", text)

    def test_is_of_the_figures_that_every_run_has(self) -> None:
        first = Side("a", "a", [MeasuredRun({"x/s": 1.0, "y/s": 1.0, "z/s": 0.0})])
        second = Side("b", "b", [MeasuredRun({"x/s": 1.0, "z/s": 1.0})])
        self.assertEqual([each.name for each in RunComparison(first, second).figures()], ["x/s"])
        nothing = RunComparison(first, Side("c", "c", [MeasuredRun({}, problem="broke off")]))
        lines = [*comparison_lines(nothing)]
        self.assertIn("  no figure was measured on both sides", lines)
        self.assertIn("  note: c, run 1: broke off", lines)

    def test_says_how_many_values_a_p99_takes_if_there_were_fewer(self) -> None:
        note = "a p99 takes 500 values in every run; give a longer --duration"
        self.assertNotIn(note, [*self.compared(8).notes()])
        whole = self.compared(8)
        few = {"p50(handshake)": 0.001, "p50(round-trip)": 0.001, "p99(round-trip)": 0.002}
        candidate = Side("candidate", "one.json", [MeasuredRun(few)] * 8)
        self.assertEqual([*replace(whole, candidate=candidate).notes()], [note])

    def test_of_a_few_runs_says_that_their_intervals_are_wide(self) -> None:
        wide = "so few runs have wide intervals: give --repeat=5 or more"
        self.assertEqual([*self.compared(3).notes()], [wide])
        self.assertEqual([*self.compared(5).notes()], [])

    def test_a_bound_that_says_nothing_is_not_shown_in_full(self) -> None:
        figure = FigureRatio("x/s", 1.0, 1.0, Ratio(1.0, 0.001, 1e30, 3))
        self.assertEqual(change_text(figure), "+0.0% (-99.9% to over +9,900%)")

    def test_is_shown_as_changes_with_their_intervals(self) -> None:
        first, *lines = comparison_lines(self.compared(8, slower=1.3))
        self.assertEqual(first, "candidate (8 runs) beside baseline (8 runs):")
        self.assertRegex(
            lines[0],
            r"^  handshakes/s +[\d.]+ +[\d.]+ +-2\d\.\d% \(-\d\d.\d% to -\d\d.\d%\) +WORSE$",
        )
        self.assertEqual(len(lines), len(FIGURES))
