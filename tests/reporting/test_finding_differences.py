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
    def differences(self, here: dict[str, Any], there: dict[str, Any]) -> list[FindingDifference]:
        return list(finding_differences(here, there))

    def change(self, here: str, there: str) -> Change | None:
        found = self.differences(catalogue(a=here), catalogue(a=there))
        return found[0].change if found else None

    def test_are_none_where_the_verdict_is_the_same(self) -> None:
        for verdict in ("still so", "no longer so", "cannot tell"):
            self.assertIsNone(self.change(verdict, verdict))

    def test_are_none_where_it_is_so_on_neither_side(self) -> None:
        self.assertIsNone(self.change("not yet so", "no longer so"))

    def test_tell_what_came_and_what_went(self) -> None:
        self.assertIs(self.change("still so", "no longer so"), Change.HERE_ONLY)
        self.assertIs(self.change("no longer so", "still so"), Change.THERE_ONLY)
        self.assertIs(self.change("still so", "not yet so"), Change.HERE_ONLY)
        self.assertIs(self.change("no_longer_so", "still_so"), Change.THERE_ONLY)

    def test_tell_what_cannot_be_told_on_a_side(self) -> None:
        for verdict in ("still so", "no longer so"):
            self.assertIs(self.change(verdict, "cannot tell"), Change.UNTOLD)
            self.assertIs(self.change("cannot tell", verdict), Change.UNTOLD)

    def test_tell_what_is_in_one_catalogue_only(self) -> None:
        found = self.differences(catalogue(a="still so"), catalogue(b="still so"))
        self.assertEqual([(each.name, each.change) for each in found],
                         [("a", Change.UNTOLD), ("b", Change.UNTOLD)])  # fmt: skip
        self.assertEqual((found[0].here, found[0].there),
                         ("still so, saw a", "not in the catalogue"))  # fmt: skip
        self.assertEqual(found[1].title, "B")

    def test_are_told_with_the_evidence_of_both_sides(self) -> None:
        (found,) = self.differences(catalogue(a="still so"), catalogue(a="no longer so"))
        self.assertEqual(
            str(found),
            "a: so here, not there: here: still so, saw a; there: no longer so, saw a",
        )
        self.assertEqual(
            found.as_json(),
            {
                "name": "a",
                "title": "A",
                "change": "so here, not there",
                "here": "still so, saw a",
                "there": "no longer so, saw a",
            },
        )

    def test_show_the_first_line_of_evidence_that_has_several(self) -> None:
        here, there = catalogue(a="still so"), catalogue(a="no longer so")
        here["findings"][0]["evidence"] = ["one", "two"]
        there["findings"][0]["evidence"] = []
        (found,) = self.differences(here, there)
        self.assertEqual((found.here, found.there), ("still so, one", "no longer so"))
