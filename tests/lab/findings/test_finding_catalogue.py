from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding import TICKET
from tlsdemo.lab.findings.finding_catalogue import DESCRIPTIONS, FINDINGS, THEMES


class FindingCatalogue(SynchronousTestCase):
    def test_no_two_findings_have_the_same_name(self) -> None:
        self.assertEqual(len(FINDINGS), sum(map(len, THEMES.values())))

    def test_every_finding_is_described_under_its_theme(self) -> None:
        names = [each.name for each in FINDINGS.values()]
        self.assertEqual([each.name for theme in DESCRIPTIONS.values() for each in theme], names)
        self.assertEqual(list(DESCRIPTIONS), list(THEMES))

    def test_every_title_is_one_sentence_that_fits_on_a_line(self) -> None:
        for finding in FINDINGS.values():
            self.assertTrue(finding.title.endswith("."), finding.name)
            self.assertNotRegex(finding.title, r"\. |\n")
            self.assertLessEqual(len(finding.title), 100, finding.name)

    def test_every_paragraph_says_what_tlsdemo_does(self) -> None:
        for finding in FINDINGS.values():
            self.assertIn("tlsdemo", finding.paragraph, finding.name)
            self.assertGreater(len(finding.paragraph.split()), 40, finding.name)

    def test_every_finding_that_a_paragraph_refers_to_exists(self) -> None:
        for finding in FINDINGS.values():
            for name in re.findall(r"\(([a-z]+(?:-[a-z]+){2,})\)", finding.paragraph):
                self.assertIn(name, FINDINGS)

    def test_every_ticket_is_one_of_twisted(self) -> None:
        for finding in FINDINGS.values():
            for ticket in finding.description.tickets:
                self.assertRegex(ticket, f"^{re.escape(TICKET)}[0-9]+$")
