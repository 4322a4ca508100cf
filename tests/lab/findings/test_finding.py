from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding import ALL_SUPPORTED, AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence, FindingDescription, Verdict


async def reproduce_at_once(testbed: Testbed) -> Evidence:
    return evidence(True)


def finding(name: str = "a-name", affected: AffectedVersions = ALL_SUPPORTED) -> Finding:
    return Finding(name, "A title.", "A paragraph.", reproduce_at_once, affected=affected)


def twisted(version: str) -> dict[str, str]:
    return {"Twisted": version, "OpenSSL": "OpenSSL 4.0.3 29 Sep 2026"}


class AffectedVersionsTests(SynchronousTestCase):
    def check(self, affected: AffectedVersions, **expected: Verdict) -> None:
        for version, verdict in expected.items():
            number = version.removeprefix("v").replace("_", ".")
            self.assertIs(affected.verdict(twisted(number)), verdict, number)

    def test_without_bounds_every_version_is_affected(self) -> None:
        self.check(ALL_SUPPORTED, v24_7=Verdict.STILL_SO, v99_1=Verdict.STILL_SO)

    def test_versions_older_than_the_first_affected_one_are_not_yet_affected(self) -> None:
        affected = AffectedVersions(since="26.4")
        self.check(affected, v26_3_9=Verdict.NOT_YET_SO, v9_4=Verdict.NOT_YET_SO)
        self.check(
            affected, v26_4=Verdict.STILL_SO, v26_4_0=Verdict.STILL_SO, v26_10=Verdict.STILL_SO
        )

    def test_versions_from_the_first_fixed_one_on_are_no_longer_affected(self) -> None:
        affected = AffectedVersions(until="26.4")
        self.check(affected, v26_4=Verdict.NO_LONGER_SO, v26_4_0rc1=Verdict.NO_LONGER_SO)
        self.check(affected, v25_5_0=Verdict.STILL_SO)

    def test_the_versions_may_be_those_of_another_library(self) -> None:
        affected = AffectedVersions("OpenSSL", since="5.0")
        self.assertIs(affected.verdict(twisted("26.10.0")), Verdict.NOT_YET_SO)

    def test_two_libraries_may_have_to_meet(self) -> None:
        for affected in (
            AffectedVersions(until="26.4", beside=AffectedVersions("pyOpenSSL", since="26.2")),
            AffectedVersions("pyOpenSSL", since="26.2", beside=AffectedVersions(until="26.4")),
        ):
            for twisted_version, pyopenssl, verdict in (
                ("25.5.0", "26.2.0", Verdict.STILL_SO),
                ("25.5.0", "26.1.0", Verdict.NOT_YET_SO),
                ("26.4.0", "26.2.0", Verdict.NO_LONGER_SO),
                ("26.4.0", "26.1.0", Verdict.NO_LONGER_SO),
            ):
                versions = {**twisted(twisted_version), "pyOpenSSL": pyopenssl}
                self.assertIs(affected.verdict(versions), verdict, versions)

    def test_a_version_without_a_number_is_refused(self) -> None:
        self.assertRaises(ValueError, ALL_SUPPORTED.verdict, twisted("newest"))

    def test_the_range_is_described_in_words(self) -> None:
        for affected, words in {
            ALL_SUPPORTED: "all versions that tlsdemo supports",
            AffectedVersions(since="26.4"): "Twisted from 26.4",
            AffectedVersions(until="26.4"): "Twisted before 26.4",
            AffectedVersions(since="25.5", until="26.4"): "Twisted from 25.5, before 26.4",
            AffectedVersions(until="26.4", beside=AffectedVersions("pyOpenSSL", since="26.2")): (
                "Twisted before 26.4, with pyOpenSSL from 26.2"
            ),
        }.items():
            self.assertEqual(str(affected), words)


class FindingTests(SynchronousTestCase):
    def test_a_name_that_is_not_words_joined_with_hyphens_is_refused(self) -> None:
        for name in ("alpn", "Kills-Handshake", "two words", "-a-b", ""):
            self.assertRaises(ValueError, finding, name)

    def test_the_description_has_the_affected_versions_in_words(self) -> None:
        self.assertEqual(
            finding(affected=AffectedVersions(until="26.4")).description,
            FindingDescription("a-name", "A title.", "A paragraph.", "Twisted before 26.4"),
        )

    def test_behaviour_not_observed_with_an_older_version_is_not_yet_so(self) -> None:
        observed = evidence(False, "line")
        recent = finding(affected=AffectedVersions(since="26.4"))
        self.assertEqual(
            recent.judge(observed, twisted("25.5.0")), Evidence(Verdict.NOT_YET_SO, ("line",))
        )
        self.assertIs(recent.judge(observed, twisted("26.4.0")), observed)

    def test_observed_behaviour_is_still_so_even_if_the_version_should_not_be_affected(
        self,
    ) -> None:
        observed = evidence(True, "line")
        for affected in (AffectedVersions(since="26.4"), AffectedVersions(until="24.7")):
            judged = finding(affected=affected).judge(observed, twisted("25.5.0"))
            self.assertIs(judged, observed)
