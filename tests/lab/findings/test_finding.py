from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding import ALL, Evidence, Finding, Span, Verdict, evidence
from tlsdemo.lab.findings.testbed import Testbed


async def nothing(lab: Testbed) -> Evidence:
    return evidence(True)


def finding(name: str = "a-name", span: Span = ALL) -> Finding:
    return Finding(name, "A title.", "A paragraph.", nothing, span=span)


def twisted(version: str) -> dict[str, str]:
    return {"Twisted": version, "OpenSSL": "OpenSSL 4.0.3 29 Sep 2026"}


class SpanTests(SynchronousTestCase):
    def check(self, span: Span, **expected: Verdict) -> None:
        for version, verdict in expected.items():
            number = version.removeprefix("v").replace("_", ".")
            self.assertIs(span.verdict(twisted(number)), verdict, number)

    def test_without_bounds_it_is_always_so(self) -> None:
        self.check(ALL, v24_7=Verdict.STILL_SO, v99_1=Verdict.STILL_SO)

    def test_it_is_not_yet_so_before_it_came(self) -> None:
        span = Span(since="26.4")
        self.check(span, v26_3_9=Verdict.NOT_YET_SO, v9_4=Verdict.NOT_YET_SO)
        self.check(span, v26_4=Verdict.STILL_SO, v26_4_0=Verdict.STILL_SO, v26_10=Verdict.STILL_SO)

    def test_it_is_no_longer_so_once_it_is_mended(self) -> None:
        span = Span(until="26.4")
        self.check(span, v26_4=Verdict.NO_LONGER_SO, v26_4_0rc1=Verdict.NO_LONGER_SO)
        self.check(span, v25_5_0=Verdict.STILL_SO)

    def test_it_can_be_of_another_library(self) -> None:
        span = Span("OpenSSL", since="5.0")
        self.assertIs(span.verdict(twisted("26.10.0")), Verdict.NOT_YET_SO)

    def test_a_version_without_a_number_is_refused(self) -> None:
        self.assertRaises(ValueError, ALL.verdict, twisted("newest"))

    def test_it_is_told_in_words(self) -> None:
        for span, words in {
            ALL: "all that tlsdemo supports, until now",
            Span(since="26.4"): "Twisted from 26.4",
            Span(until="26.4"): "Twisted before 26.4",
            Span(since="25.5", until="26.4"): "Twisted from 25.5 until before 26.4",
        }.items():
            self.assertEqual(str(span), words)


class FindingTests(SynchronousTestCase):
    def test_its_name_is_words_joined_with_hyphens(self) -> None:
        for name in ("alpn", "Kills-Handshake", "two words", "-a-b", ""):
            self.assertRaises(ValueError, finding, name)

    def test_what_is_not_so_before_it_came_is_not_yet_so(self) -> None:
        seen = evidence(False, "line")
        late = finding(span=Span(since="26.4"))
        self.assertEqual(
            late.judged(seen, twisted("25.5.0")), Evidence(Verdict.NOT_YET_SO, ("line",))
        )
        self.assertIs(late.judged(seen, twisted("26.4.0")), seen)

    def test_what_is_so_against_all_expectation_is_so(self) -> None:
        seen = evidence(True, "line")
        for span in (Span(since="26.4"), Span(until="24.7")):
            self.assertIs(finding(span=span).judged(seen, twisted("25.5.0")), seen)
