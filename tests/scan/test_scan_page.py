from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.test_architecture import ROOT
from tlsdemo.scan.rule_catalogue import RULES
from tlsdemo.scan.scan_page import main, with_rules

PAGE = ROOT / "docs" / "scan.md"


class ThePage(SynchronousTestCase):
    def test_has_the_rules_of_the_catalogue(self) -> None:
        page = PAGE.read_text(encoding="utf-8")
        self.assertEqual(
            page, with_rules(page), "run: python -m tlsdemo.scan.scan_page docs/scan.md"
        )
        for name in RULES:
            self.assertIn(f"\n### {name}\n", page)

    def test_is_written_in_place(self) -> None:
        copy = Path(self.mktemp())
        page = PAGE.read_text(encoding="utf-8")
        copy.write_text(page.replace(RULES["private-tls-name"].bad, ""), encoding="utf-8")
        main(str(copy))
        self.assertEqual(copy.read_text(encoding="utf-8"), page)

    def test_without_marks_is_refused(self) -> None:
        self.assertRaises(ValueError, with_rules, "# A page\n")
