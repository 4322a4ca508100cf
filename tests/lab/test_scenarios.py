from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.scenarios import SCENARIOS, Act, Fault, inapplicable
from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind, Record


class Ways(SynchronousTestCase):
    def test_have_names_of_their_own_and_a_sentence(self) -> None:
        for name, scenario in SCENARIOS.items():
            self.assertEqual(scenario.name, name)
            self.assertRegex(scenario.sentence, r"^[A-Z].*\.$")

    def test_that_only_one_version_has_are_not_in_the_other(self) -> None:
        for name, has, has_not in (("KeyUpdate", "1.3", "1.2"), ("renegotiation", "1.2", "1.3")):
            self.assertEqual(inapplicable(SCENARIOS[name], has, True), "")
            self.assertEqual(inapplicable(SCENARIOS[name], has_not, True), f"only TLS {has} has it")

    def test_that_need_words_are_not_where_nothing_is_said(self) -> None:
        scenario = SCENARIOS["injection behind the request"]
        self.assertEqual(inapplicable(scenario, "1.3", True), "")
        self.assertEqual(inapplicable(scenario, "1.3", False), "nothing is said before TLS")
        self.assertEqual(inapplicable(SCENARIOS["ok"], "1.3", False), "")


class AFault(SynchronousTestCase):
    def test_waits_for_one_kind_of_record_of_one_end(self) -> None:
        fault = Fault(End.CLIENT, Kind.HANDSHAKE, Act.CUT)
        hello, words = Record(Kind.HANDSHAKE, 9, ""), Record(Kind.PLAIN, 9, "")
        self.assertTrue(fault.meets(End.CLIENT, hello))
        self.assertFalse(fault.meets(End.SERVER, hello))
        self.assertFalse(fault.meets(End.CLIENT, words))
