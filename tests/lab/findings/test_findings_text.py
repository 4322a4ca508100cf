from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.findings.test_finding import finding
from tlsdemo.lab.findings.examination import Examined
from tlsdemo.lab.findings.finding import Evidence, Verdict, evidence
from tlsdemo.lab.findings.finding_catalogue import FINDINGS, THEMES
from tlsdemo.lab.findings.findings_text import listing, page, summary, told, versions_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "findings.md"


class PageTests(SynchronousTestCase):
    def test_in_the_docs_is_what_its_source_gives(self) -> None:
        printed = PAGE.read_text(encoding="utf-8")
        # That these are the verdicts with these versions, test_reproductions.py shows.
        versions = versions_of(printed)
        verdicts = {name: each.span.verdict(versions) for name, each in FINDINGS.items()}
        message = f"run: tlsdemo findings --all --format=markdown > docs/{PAGE.name}"
        self.assertEqual(printed, page(THEMES, verdicts, versions), message)

    def test_leaves_out_what_has_no_verdict(self) -> None:
        printed = page(THEMES, {"no-resumption": Verdict.UNKNOWN}, {"Twisted": "1.0"})
        self.assertIn("### no-resumption\n", printed)
        self.assertIn("- Verdict: cannot tell\n", printed)
        self.assertEqual(printed.count("\n## "), 1)
        self.assertEqual(printed.count("\n### "), 1)

    def test_tells_its_versions(self) -> None:
        versions = {"Twisted": "1.0", "OpenSSL": "OpenSSL 4.0.3 29 Sep 2026"}
        told = versions_of(page(THEMES, {}, versions))
        self.assertEqual(told, {"Twisted": "1.0", "OpenSSL": "4.0.3 29 Sep 2026"})
        self.assertRaises(ValueError, versions_of, "# Findings\n")


class TextTests(SynchronousTestCase):
    def test_a_listing_has_a_line_for_each(self) -> None:
        lines = listing([finding("a-name"), finding("a-longer-name")])
        self.assertEqual(lines, ["a-name         A title.", "a-longer-name  A title."])

    def test_all_of_one_finding_is_told(self) -> None:
        lines = told(Examined(finding(), evidence(True, "one", "two"), 0.5))
        for expected in ("a-name", "A title.", "A paragraph.", "  one", "Verdict: still so"):
            self.assertIn(expected, lines)

    def test_why_there_is_no_verdict_is_told(self) -> None:
        lines = told(Examined(finding(), Evidence(Verdict.UNKNOWN, (), "too slow"), 0.5))
        self.assertIn("  nothing", lines)
        self.assertIn("Verdict: cannot tell: too slow", lines)

    def test_a_summary_counts_the_verdicts(self) -> None:
        results = [
            Examined(finding("a-name"), evidence(True), 0.5),
            Examined(finding("a-longer-name"), evidence(False), 1.25),
        ]
        versions = {"Twisted": "1.0", "OpenSSL": "OpenSSL 4.0.3 29 Sep 2026"}
        self.assertEqual(
            summary(results, versions),
            [
                "Twisted 1.0, OpenSSL 4.0.3 29 Sep 2026",
                "",
                "a-name         still so       0.50 s",
                "a-longer-name  no longer so   1.25 s",
                "",
                "1 still so, 1 no longer so, in 1.8 s",
            ],
        )
