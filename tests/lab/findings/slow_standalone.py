"""All findings as one trial module, run with the installed versions."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.findings.test_reproductions import NO_VERDICT
from tests.lab.findings.test_standalone import run
from tlsdemo.cli.finding_files import TEST_MODULE, write_tests
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.finding_result import Verdict
from tlsdemo.tls import versions


class WholeModule(SynchronousTestCase):
    def test_what_still_holds_is_an_expected_failure_and_the_rest_succeeds(self) -> None:
        directory = Path(self.mktemp())
        write_tests(directory, FINDINGS)
        status, output = run(str(directory), "-m", "twisted.trial", TEST_MODULE)
        verdicts = [
            each.affected.verdict(versions())
            for name, each in FINDINGS.items()
            if name not in NO_VERDICT
        ]
        found = dict(re.findall(r"(\w+)=(\d+)", output.splitlines()[-1]))
        # A figure that is too close to call is a test that is skipped.
        self.assertLessEqual(set(found), {"expectedFailures", "successes", "skips"}, output)
        self.assertEqual(sum(map(int, found.values())), len(FINDINGS), output)
        fixed = len(verdicts) - verdicts.count(Verdict.STILL_SO)
        self.assertEqual(int(found.get("successes", 0)), fixed, output)
        self.assertEqual(status, 0, output)
