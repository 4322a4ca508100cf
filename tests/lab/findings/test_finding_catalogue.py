from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding import TICKET
from tlsdemo.lab.findings.finding_catalogue import FINDINGS, THEMES


class Catalogue(SynchronousTestCase):
    def test_no_name_is_given_twice(self) -> None:
        self.assertEqual(len(FINDINGS), sum(map(len, THEMES.values())))

    def test_each_title_is_one_sentence_that_fits_a_line(self) -> None:
        for finding in FINDINGS.values():
            self.assertTrue(finding.title.endswith("."), finding.name)
            self.assertNotRegex(finding.title, r"\. |\n")
            self.assertLessEqual(len(finding.title), 100, finding.name)

    def test_each_paragraph_says_what_tlsdemo_does(self) -> None:
        for finding in FINDINGS.values():
            self.assertIn("tlsdemo", finding.paragraph, finding.name)
            self.assertGreater(len(finding.paragraph.split()), 40, finding.name)

    def test_findings_that_a_paragraph_refers_to_exist(self) -> None:
        for finding in FINDINGS.values():
            for name in re.findall(r"\(([a-z]+(?:-[a-z]+){2,})\)", finding.paragraph):
                self.assertIn(name, FINDINGS)

    def test_tickets_are_twisteds(self) -> None:
        for finding in FINDINGS.values():
            if finding.ticket:
                self.assertRegex(finding.ticket, f"^{re.escape(TICKET)}[0-9]+$")
