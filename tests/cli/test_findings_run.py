from __future__ import annotations

import json
from io import StringIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.lab.findings.test_finding import finding
from tests.support import certificates
from tlsdemo.cli import findings_run
from tlsdemo.cli.findings_run import FindingsRun
from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.reporting.finding_result import Evidence, FindingResult, Verdict


class Runs(TestCase):
    """The output for reproductions with given outcomes."""

    def setUp(self) -> None:
        self.output, self.progress = StringIO(), StringIO()
        self.clock = [0.0]

    async def run_of(self, form: str, *outcomes: Evidence, seconds: float = 1.0) -> int:
        given = list(outcomes)

        async def examined(_r: Any, _c: Any, each: Finding, _v: Any) -> FindingResult:
            self.clock[0] += seconds
            return FindingResult(each.description, given.pop(0), seconds)

        self.patch(findings_run, "examine", examined)
        findings = [finding(f"number-{number}") for number in range(len(outcomes))]
        ended: Deferred[None] = Deferred()
        stand_in = _Reactor(self.clock, ended)
        run = FindingsRun(stand_in, certificates(), findings, form, self.output, self.progress)
        run.start()
        await ended
        return run.finish()

    async def test_the_status_is_1_only_if_a_finding_has_no_verdict(self) -> None:
        self.assertEqual(await self.run_of("text", evidence(True), evidence(False)), 0)
        unknown = Evidence(Verdict.UNKNOWN, (), "too slow")
        self.assertEqual(await self.run_of("text", evidence(True), unknown), 1)

    async def test_several_findings_have_a_summary(self) -> None:
        await self.run_of("text", evidence(True))
        self.assertNotIn("1 still so", self.output.getvalue())
        await self.run_of("text", evidence(True), evidence(True))
        self.assertIn("2 still so, in 2.0 s", self.output.getvalue())

    async def test_json_holds_versions_and_findings(self) -> None:
        await self.run_of("json", evidence(True, "line"))
        document = json.loads(self.output.getvalue())
        self.assertIn("Twisted", document["versions"])
        self.assertEqual(
            document["findings"],
            [
                {
                    "name": "number-0",
                    "title": "A title.",
                    "verdict": "still so",
                    "evidence": ["line"],
                    "seconds": 1.0,
                }
            ],
        )

    async def test_progress_is_shown_every_two_seconds_on_standard_error(self) -> None:
        outcomes = [evidence(True)] * 5
        await self.run_of("json", *outcomes)
        self.assertEqual(
            self.progress.getvalue().splitlines(),
            ["2 of 5 done, now number-2", "4 of 5 done, now number-4"],
        )
        json.loads(self.output.getvalue())

    async def test_a_fast_run_shows_no_progress(self) -> None:
        await self.run_of("json", *[evidence(True)] * 5, seconds=0.1)
        self.assertEqual(self.progress.getvalue(), "")


class _Reactor:
    """A reactor for reproductions with given outcomes."""

    def __init__(self, clock: list[float], ended: Deferred[None]) -> None:
        self._clock = clock
        self._ended = ended

    def seconds(self) -> float:
        return self._clock[0]

    def addSystemEventTrigger(self, *_: object) -> None:  # noqa: N802
        pass

    def stop(self) -> None:
        self._ended.callback(None)
