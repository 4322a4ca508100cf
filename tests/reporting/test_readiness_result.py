from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.readiness_result import CheckResult, Verdict, readiness_lines, ready

GOOD = CheckResult("whole", Verdict.PASSED, group="X25519MLKEM768", hello=1474)
CLASSICAL = CheckResult("retry", Verdict.PASSED, group="x25519", hello=1024, retried=True)
BAD = CheckResult("cut at 1", Verdict.FAILED, "truncated", "it closed", hello=1474, cut=1)
NO_HELLO = CheckResult("cut at 2", Verdict.FAILED, "connection refused")
UNTESTED = CheckResult("cut at 9", Verdict.NOT_TESTED, detail="no way", hello=300)


class ReadinessResultTests(SynchronousTestCase):
    def test_it_has_a_line_for_each_check_and_their_sum(self) -> None:
        self.assertEqual(
            [*readiness_lines([GOOD, CLASSICAL, BAD, NO_HELLO, UNTESTED])],
            [
                "passed      whole: X25519MLKEM768, ClientHello of 1,474 bytes",
                "passed      retry: x25519, ClientHello of 1,024 bytes",
                "FAILED      cut at 1: truncated: it closed (ClientHello of 1,474 bytes)",
                "FAILED      cut at 2: connection refused (no ClientHello was sent)",
                "not tested  cut at 9: no way",
                "5 checks: 2 passed, 2 failed, 1 not tested",
            ],
        )

    def test_it_says_if_no_post_quantum_group_was_agreed_on(self) -> None:
        note = "note: no post-quantum group was agreed on, only x25519"
        self.assertEqual([*readiness_lines([CLASSICAL])][-1], note)
        self.assertNotIn("note", [*readiness_lines([BAD])][-1])

    def test_ready_is_a_server_that_has_passed_every_check(self) -> None:
        self.assertTrue(ready([GOOD, CLASSICAL]))
        self.assertFalse(ready([GOOD, BAD]))
        self.assertFalse(ready([GOOD, UNTESTED]))

    def test_it_has_plain_values_for_json(self) -> None:
        self.assertEqual(
            json.loads(json.dumps(BAD.as_json())),
            {
                "name": "cut at 1",
                "verdict": "failed",
                "cause": "truncated",
                "detail": "it closed",
                "group": "",
                "hello": 1474,
                "cut": 1,
                "retried": False,
            },
        )
