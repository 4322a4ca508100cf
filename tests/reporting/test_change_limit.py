from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.measured_runs import alternating
from tlsdemo.reporting.change_limit import BadLimit, change_limit
from tlsdemo.reporting.run_comparison import FigureRatio, RunComparison


class ALimit(SynchronousTestCase):
    def figures(self, rounds: int = 8, slower: float = 1.0) -> list[FigureRatio]:
        return RunComparison(*alternating(random.Random(3), rounds, slower)).figures()

    def judged(self, text: str, figures: list[FigureRatio]) -> tuple[bool, str]:
        (found,) = change_limit(text).verdicts(figures)
        return found

    def test_fails_on_a_change_beyond_it(self) -> None:
        slower = self.figures(slower=1.3)
        held, line = self.judged("handshakes/s<-5%", slower)
        self.assertFalse(held)
        self.assertRegex(line, r"^handshakes/s<-5%: FAILED, handshakes/s -2\d\.\d%$")
        self.assertFalse(self.judged("p99(handshake)>+10%", slower)[0])

    def test_holds_on_a_change_within_it_or_in_the_other_direction(self) -> None:
        slower = self.figures(slower=1.3)
        for text in ("handshakes/s<-50%", "handshakes/s>+5%", "p99(handshake) > 60 %"):
            held, line = self.judged(text, slower)
            self.assertTrue(held, line)

    def test_holds_within_the_noise_whatever_the_change_is(self) -> None:
        held, line = self.judged("handshakes/s<-0.000001%", self.figures(slower=1.003))
        self.assertTrue(held, line)

    def test_fails_if_it_cannot_be_judged(self) -> None:
        held, line = self.judged("handshakes/s<-5%", self.figures(rounds=1, slower=1.3))
        self.assertFalse(held)
        self.assertRegex(line, r"^handshakes/s<-5%: cannot be judged by so few runs \(-2\d.\d%\)$")
        held, line = self.judged("nonsense/s<-5%", self.figures())
        self.assertFalse(held)
        self.assertIn("cannot be judged, as only these were measured: handshakes/s, p50(", line)

    def test_says_how_many_values_a_p99_takes_if_there_were_fewer(self) -> None:
        few = [each for each in self.figures() if each.name != "p99(handshake)"]
        held, line = self.judged("p99(handshake)>+10%", few)
        self.assertFalse(held)
        self.assertEqual(
            line,
            "p99(handshake)>+10%: cannot be judged: a p99 takes 500 values in every run; give a "
            "longer --duration",
        )

    def test_is_of_every_window_unless_it_names_one(self) -> None:
        (figure, *_) = self.figures()
        windows = [FigureRatio(f"{rate}/s p99(handshake)", 1, 1, figure.ratio) for rate in (5, 9)]
        self.assertEqual(len([*change_limit("p99(handshake)>5%").verdicts(windows)]), 2)
        self.assertEqual(len([*change_limit("5/s p99(handshake)>5%").verdicts(windows)]), 1)

    def test_that_is_not_understood_is_refused(self) -> None:
        for text, problem in {
            "": "no limit, such as",
            "handshakes/s": "no limit, such as",
            "handshakes/s<-5": "no limit, such as",
            "handshakes/s=-5%": "no limit, such as",
            "handshakes/s<5%": "which no change would be beyond; write <-5% or >+5%",
            "handshakes/s>-5%": "which no change would be beyond",
            "handshakes/s<0%": "which no change would be beyond",
        }.items():
            message = str(self.assertRaises(BadLimit, change_limit, text))
            self.assertIn(problem, message)
