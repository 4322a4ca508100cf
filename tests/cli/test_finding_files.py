from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.finding_files import (
    report_of,
    reportable,
    write_reports,
    write_tests,
)
from tlsdemo.lab.findings.causes import CAUSES, TRACKERS
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.finding_report import reports_page
from tlsdemo.reporting.finding_result import Evidence, FindingResult, Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reports.md"


def result(name: str, verdict: Verdict) -> FindingResult:
    return FindingResult(FINDINGS[name].description, Evidence(verdict, ("one line",)), 0.1)


class Reports(SynchronousTestCase):
    def test_the_page_in_docs_is_generated_from_the_catalogue(self) -> None:
        printed = PAGE.read_text(encoding="utf-8")
        self.assertEqual(printed, reports_page(map(report_of, reportable())), "run: make docs")

    def test_there_is_one_for_each_finding_that_is_not_fixed_and_has_no_ticket(self) -> None:
        names = reportable()
        self.assertEqual(names[0], "alpn-kills-handshake")
        self.assertEqual(len(names), len(set(names)))
        for name, finding in FINDINGS.items():
            expected = not finding.tickets and not finding.affected.until
            self.assertEqual(name in names, expected, name)

    def test_a_cause_is_known_for_each(self) -> None:
        self.assertEqual(set(CAUSES), set(reportable()))
        self.assertEqual(set(TRACKERS) - set(CAUSES), set())

    def test_an_attack_is_reported_in_private_and_what_is_of_pyopenssl_there(self) -> None:
        for name, expected in {
            "alpn-kills-handshake": "\nTwisted: <https://github.com/twisted/twisted/issues>\n",
            "imap4-server-injection": "/security/advisories/new>",
            "context-frozen-by-connection": "pyOpenSSL: <",
        }.items():
            self.assertIn(expected, report_of(name).text([], {}))

    def test_none_speaks_of_tlsdemo_in_its_description(self) -> None:
        page = reports_page(map(report_of, reportable()))
        _, _, reports = page.partition("\n## ")
        self.assertNotIn("tlsdemo", reports)

    def test_only_what_still_holds_is_written(self) -> None:
        directory = Path(self.mktemp())
        results = [
            result("start-tls-twice", Verdict.STILL_SO),
            result("no-resumption", Verdict.NO_LONGER_SO),
            result("pause-comes-late", Verdict.UNKNOWN),
        ]
        written = write_reports(directory, results, {"Twisted": "26.10.0"})
        self.assertEqual([each.name for each in written], ["start-tls-twice.md", "index.md"])
        self.assertEqual(set(directory.iterdir()), set(written))
        self.assertIn("- one line\n", written[0].read_text("utf-8"))


class Tests(SynchronousTestCase):
    def test_the_findings_asked_for_are_written(self) -> None:
        path = write_tests(Path(self.mktemp()) / "new", ["start-tls-twice"])
        source = path.read_text("utf-8")
        self.assertEqual(path.name, "test_tls_findings.py")
        self.assertEqual(source.count("    def test_"), 1)
