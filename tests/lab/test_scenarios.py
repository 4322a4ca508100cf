from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.scenarios import SCENARIOS, Fault, FaultAction, inapplicable
from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind, Record


class Scenarios(SynchronousTestCase):
    def test_each_has_a_unique_name_and_a_sentence_that_describes_it(self) -> None:
        for name, scenario in SCENARIOS.items():
            self.assertEqual(scenario.name, name)
            self.assertRegex(scenario.description, r"^[A-Z].*\.$")

    def test_a_scenario_of_one_tls_version_is_inapplicable_with_the_other(self) -> None:
        for name, has, has_not in (("KeyUpdate", "1.3", "1.2"), ("renegotiation", "1.2", "1.3")):
            self.assertEqual(inapplicable(SCENARIOS[name], has, True), "")
            self.assertEqual(
                inapplicable(SCENARIOS[name], has_not, True), f"only possible with TLS {has}"
            )

    def test_an_injection_is_inapplicable_without_a_negotiation_before_tls(self) -> None:
        scenario = SCENARIOS["injection behind the request"]
        self.assertEqual(inapplicable(scenario, "1.3", True), "")
        self.assertEqual(inapplicable(scenario, "1.3", False), "there is no negotiation before TLS")
        self.assertEqual(inapplicable(SCENARIOS["ok"], "1.3", False), "")


class Faults(SynchronousTestCase):
    def test_a_fault_is_triggered_by_one_kind_of_record_from_one_end(self) -> None:
        fault = Fault(End.CLIENT, Kind.HANDSHAKE, FaultAction.CUT)
        hello, plaintext = Record(Kind.HANDSHAKE, 9, ""), Record(Kind.PLAIN, 9, "")
        self.assertTrue(fault.matches(End.CLIENT, hello))
        self.assertFalse(fault.matches(End.SERVER, hello))
        self.assertFalse(fault.matches(End.CLIENT, plaintext))
