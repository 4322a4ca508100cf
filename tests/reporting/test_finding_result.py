from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_findings_text import STILL_SO, result
from tlsdemo.reporting.finding_result import Evidence, Verdict


class FindingResultJSON(SynchronousTestCase):
    def test_a_result_with_a_verdict_has_no_reason(self) -> None:
        self.assertEqual(
            result(STILL_SO, seconds=0.12345).as_json(),
            {
                "name": "a-name",
                "title": "A title.",
                "verdict": "still so",
                "evidence": ["one", "two"],
                "seconds": 0.123,
            },
        )

    def test_a_result_without_a_verdict_has_a_reason(self) -> None:
        without = result(Evidence(Verdict.UNKNOWN, (), "too slow")).as_json()
        self.assertEqual((without["verdict"], without["reason"]), ("cannot tell", "too slow"))
