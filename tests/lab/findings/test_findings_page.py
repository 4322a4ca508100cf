"""The page of findings in docs/, compared with the catalogue that it is generated from."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding_catalogue import DESCRIPTIONS, FINDINGS
from tlsdemo.reporting.findings_text import page, versions_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "findings.md"


class FindingsPage(SynchronousTestCase):
    def test_the_page_in_docs_is_generated_from_the_catalogue(self) -> None:
        printed = PAGE.read_text(encoding="utf-8")
        # test_reproductions.py shows that the verdicts are right for the installed versions.
        versions = versions_of(printed)
        verdicts = {name: each.affected.verdict(versions) for name, each in FINDINGS.items()}
        message = f"run: python -m tlsdemo findings --all --format=markdown > docs/{PAGE.name}"
        self.assertEqual(printed, page(DESCRIPTIONS, verdicts, versions), message)
