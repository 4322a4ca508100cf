from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.finding_report import FindingReport, reports_page, without_tlsdemo
from tlsdemo.reporting.finding_result import FindingDescription

PARAGRAPH = "It breaks (other-finding). Be careful; tlsdemo is. In tlsdemo it works."


def report(affected: str = "all versions that tlsdemo supports") -> FindingReport:
    finding = FindingDescription("a-name", "A title.", PARAGRAPH, affected)
    where = "Us: https://x"
    return FindingReport(finding, "``startTLS`` does it.", where, "steps()\n", "program()\n")


class Report(SynchronousTestCase):
    def test_it_has_everything_that_a_ticket_needs(self) -> None:
        lines = (
            report("Twisted from 26.4").text(["one", "two"], {"Twisted": "26.10.0"}).splitlines()
        )
        for expected in (
            "# A title",
            "It breaks. Be careful.",
            "Twisted from 26.4. Tried with Twisted 26.10.0.",
            "`startTLS` does it.",
            "Us: <https://x>",
            *("- one", "- two"),
            *("steps()", "program()"),
            "<details><summary>a_name.py</summary>",
        ):
            self.assertIn(expected, lines)

    def test_the_supported_versions_are_named(self) -> None:
        self.assertIn("All versions from Twisted 24.7 on. Tried", report().text([], {}))

    def test_the_page_has_neither_evidence_nor_programs(self) -> None:
        page = reports_page([report(), report()])
        self.assertEqual(page.count("\n## A title\n"), 2)
        self.assertIn("steps()", page)
        self.assertNotIn("program()", page)
        self.assertTrue(page.endswith("```\n"))


class WithoutTlsdemo(SynchronousTestCase):
    def test_what_is_said_of_tlsdemo_and_of_other_findings_is_left_out(self) -> None:
        for paragraph, expected in {
            PARAGRAPH: "It breaks. Be careful.",
            "One; two; tlsdemo three.": "One; two.",
            "Since 26.4 it fails (ticket 1).": "Since 26.4 it fails (ticket 1).",
        }.items():
            self.assertEqual(without_tlsdemo(paragraph), expected)
