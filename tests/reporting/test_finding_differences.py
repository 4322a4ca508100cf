from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.finding_differences import Change, FindingDifference, finding_differences


def catalogue(**verdicts: str) -> dict[str, Any]:
    return {
        "versions": {},
        "findings": [
            {"name": name, "title": name.upper(), "verdict": verdict, "evidence": f"saw {name}"}
            for name, verdict in verdicts.items()
        ],
    }


class FindingDifferences(SynchronousTestCase):
    def differences(
        self, baseline: dict[str, Any], candidate: dict[str, Any]
    ) -> list[FindingDifference]:
        return list(finding_differences(baseline, candidate))

    def change(self, baseline: str, candidate: str) -> Change | None:
        found = self.differences(catalogue(a=baseline), catalogue(a=candidate))
        return found[0].change if found else None

    def test_are_none_if_the_verdict_is_the_same(self) -> None:
        for verdict in ("still so", "no longer so", "cannot tell"):
            self.assertIsNone(self.change(verdict, verdict))

    def test_are_none_if_the_finding_holds_on_neither_side(self) -> None:
        self.assertIsNone(self.change("not yet so", "no longer so"))

    def test_say_on_which_side_a_finding_holds(self) -> None:
        self.assertIs(self.change("still so", "no longer so"), Change.BASELINE_ONLY)
        self.assertIs(self.change("no longer so", "still so"), Change.CANDIDATE_ONLY)
        self.assertIs(self.change("still so", "not yet so"), Change.BASELINE_ONLY)
        self.assertIs(self.change("no_longer_so", "still_so"), Change.CANDIDATE_ONLY)

    def test_include_findings_that_are_unknown_on_one_side(self) -> None:
        for verdict in ("still so", "no longer so"):
            self.assertIs(self.change(verdict, "cannot tell"), Change.UNKNOWN)
            self.assertIs(self.change("cannot tell", verdict), Change.UNKNOWN)

    def test_include_findings_that_one_side_does_not_have(self) -> None:
        found = self.differences(catalogue(a="still so"), catalogue(b="still so"))
        self.assertEqual([(each.name, each.change) for each in found],
                         [("a", Change.UNKNOWN), ("b", Change.UNKNOWN)])  # fmt: skip
        self.assertEqual((found[0].baseline, found[0].candidate),
                         ("still so, saw a", "not in the catalogue"))  # fmt: skip
        self.assertEqual(found[1].title, "B")

    def test_have_the_evidence_of_both_sides(self) -> None:
        (found,) = self.differences(catalogue(a="still so"), catalogue(a="no longer so"))
        self.assertEqual(
            (found.baseline, found.candidate), ("still so, saw a", "no longer so, saw a")
        )

    def test_have_the_first_line_of_the_evidence_that_differs(self) -> None:
        for lines, expected in (
            ((["one", "two"], []), ("still so, one", "no longer so")),
            ((["setting", "fails"], ["setting", "works"]),
             ("still so, fails", "no longer so, works")),
            ((["setting", "fails"], ["setting"]), ("still so, fails", "no longer so")),
            ((["same"], ["same"]), ("still so, same", "no longer so, same")),
        ):  # fmt: skip
            baseline, candidate = catalogue(a="still so"), catalogue(a="no longer so")
            baseline["findings"][0]["evidence"], candidate["findings"][0]["evidence"] = lines
            (found,) = self.differences(baseline, candidate)
            self.assertEqual((found.baseline, found.candidate), expected)
