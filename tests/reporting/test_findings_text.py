from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.finding_result import (
    Evidence,
    FindingDescription,
    FindingResult,
    Verdict,
)
from tlsdemo.reporting.findings_text import full_report, listing, page, summary, versions_of

VERSIONS = {"Twisted": "1.0", "OpenSSL": "OpenSSL 4.0.3 29 Sep 2026"}


def description(name: str = "a-name", tickets: tuple[str, ...] = ()) -> FindingDescription:
    return FindingDescription(name, "A title.", "A paragraph.", "Twisted before 26.4", tickets)


def result(evidence: Evidence, name: str = "a-name", seconds: float = 0.5) -> FindingResult:
    return FindingResult(description(name), evidence, seconds)


STILL_SO = Evidence(Verdict.STILL_SO, ("one", "two"))


class Page(SynchronousTestCase):
    def test_a_finding_without_a_verdict_is_left_out(self) -> None:
        themes = {"First": [description("one-name"), description("two-names")],
                  "Second": [description("three-names")]}  # fmt: skip
        printed = page(themes, {"one-name": Verdict.UNKNOWN}, VERSIONS)
        self.assertIn("### one-name\n", printed)
        self.assertIn("- Verdict: cannot tell\n", printed)
        self.assertEqual(printed.count("\n## "), 1)
        self.assertEqual(printed.count("\n### "), 1)

    def test_every_ticket_is_a_link(self) -> None:
        tickets = ("https://example.org/1", "https://example.org/2")
        themes = {"Theme": [description(tickets=tickets)]}
        printed = page(themes, {"a-name": Verdict.STILL_SO}, VERSIONS)
        self.assertIn("- Ticket: <https://example.org/1>, <https://example.org/2>\n", printed)

    def test_the_versions_can_be_read_from_the_printed_page(self) -> None:
        read = versions_of(page({}, {}, VERSIONS))
        self.assertEqual(read, {"Twisted": "1.0", "OpenSSL": "4.0.3 29 Sep 2026"})
        self.assertRaises(ValueError, versions_of, "# Findings\n")


class Terminal(SynchronousTestCase):
    def test_a_listing_has_a_line_for_each_finding(self) -> None:
        lines = listing([description("a-name"), description("a-longer-name")])
        self.assertEqual(lines, ["a-name         A title.", "a-longer-name  A title."])

    def test_a_listing_has_the_title_below_where_it_does_not_fit(self) -> None:
        known = [description("a-name")]
        self.assertEqual(listing(known, 15), ["a-name\n    A title."])
        self.assertEqual(listing(known, 16), ["a-name  A title."])

    def test_a_report_fits_into_a_narrow_terminal(self) -> None:
        finding = FindingDescription("a-name", "A title of words.", "word " * 20, "all", ())
        evidence = Evidence(Verdict.STILL_SO, ("seen " * 20,))
        lines = "\n".join(full_report(FindingResult(finding, evidence, 0.5), 30)).splitlines()
        self.assertLessEqual(max(map(len, lines)), 30)

    def test_a_report_has_the_description_the_evidence_and_the_verdict(self) -> None:
        lines = full_report(result(STILL_SO))
        for expected in (
            *("a-name", "A title.", "A paragraph.", "Affected:  Twisted before 26.4"),
            *("Ticket:    none known", "  one", "  two", "Verdict: still so"),
        ):
            self.assertIn(expected, lines)

    def test_a_long_line_of_evidence_is_wrapped_and_indented(self) -> None:
        lines = full_report(result(Evidence(Verdict.STILL_SO, ("word " * 40,))))
        (wrapped,) = [line for line in lines if "word" in line]
        self.assertRegex(wrapped, r"^  word .*\n    word ")
        self.assertLessEqual(max(map(len, wrapped.splitlines())), 88)

    def test_a_report_without_a_verdict_says_why(self) -> None:
        lines = full_report(result(Evidence(Verdict.UNKNOWN, (), "too slow")))
        self.assertIn("  nothing", lines)
        self.assertIn("Verdict: cannot tell: too slow", lines)

    def test_a_summary_counts_the_verdicts(self) -> None:
        results = [
            result(STILL_SO, "a-name", 0.5),
            result(Evidence(Verdict.NO_LONGER_SO, ()), "a-longer-name", 1.25),
        ]
        self.assertEqual(
            summary(results, VERSIONS),
            [
                "Twisted 1.0, OpenSSL 4.0.3 29 Sep 2026",
                "",
                "a-name         still so       0.50 s",
                "a-longer-name  no longer so   1.25 s",
                "",
                "1 still so, 1 no longer so, in 1.8 s",
            ],
        )
