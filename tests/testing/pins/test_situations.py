from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.testing.pins import SITUATIONS
from tlsdemo.testing.pins.situations import find_situation, why_impossible
from tlsdemo.trace.model import End


class Situations(SynchronousTestCase):
    def test_are_the_scenarios_of_tlsdemo_events_and_adversaries(self) -> None:
        self.assertLess(set(SCENARIOS), set(SITUATIONS))

    def test_have_other_names(self) -> None:
        self.assertIs(find_situation("truncation"), SITUATIONS["EOF after the handshake"])

    def test_a_name_that_is_mistyped(self) -> None:
        problem = self.assertRaises(ValueError, find_situation, "truncaton")
        self.assertEqual(str(problem), "no scenario is called 'truncaton'; there are truncation")

    def test_a_name_that_resembles_none(self) -> None:
        problem = self.assertRaises(ValueError, find_situation, "zzzz")
        self.assertIn("there are ok, ok with client certificate, resumed", str(problem))

    def test_what_is_impossible_says_why(self) -> None:
        for name, end, negotiates, why in (
            ("KeyUpdate", End.SERVER, True, "Python's ssl"),
            ("renegotiation", End.SERVER, True, "Python's ssl"),
            ("injection behind the request", End.SERVER, False, "name a dialect"),
            ("injection behind the request", End.CLIENT, True, "comes from the peer"),
            ("rejected by the server's application", End.SERVER, True, "its own code"),
            ("resumed", End.CLIENT, True, "its own code"),
            ("hello in the segment of the request", End.CLIENT, True, "a client"),
            ("slow reader", End.CLIENT, True, ""),
        ):
            self.assertIn(why, why_impossible(SITUATIONS[name], end, negotiates))
