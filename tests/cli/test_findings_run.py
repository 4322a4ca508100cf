from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.lab.findings.test_finding import finding
from tests.support import certificates
from tlsdemo.cli import findings_run
from tlsdemo.cli.findings_run import FindingsRun
from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.reporting.finding_result import Evidence, FindingResult, Verdict
from tlsdemo.reporting.progress import Progress


class Runs(TestCase):
    """Reproductions with given outcomes."""

    def setUp(self) -> None:
        self.progress = StringIO()
        self.clock = [0.0]
        self.seen: list[FindingResult] = []

    async def run_of(self, *outcomes: Evidence, seconds: float = 1.0) -> FindingsRun:
        given = list(outcomes)

        async def examined(_r: Any, _c: Any, each: Finding, _v: Any) -> FindingResult:
            self.clock[0] += seconds
            return FindingResult(each.description, given.pop(0), seconds)

        self.patch(findings_run, "examine", examined)
        findings = [finding(f"number-{number}") for number in range(len(outcomes))]
        ended: Deferred[None] = Deferred()
        console = Console(file=self.progress, get_time=lambda: self.clock[0])
        run = FindingsRun(
            _Reactor(ended), certificates(), findings, Progress(console, "findings"),
            self.seen.append,
        )  # fmt: skip
        run.start()
        await ended
        return run

    async def test_are_complete_if_every_finding_has_a_verdict(self) -> None:
        self.assertTrue((await self.run_of(evidence(True), evidence(False))).finish())
        unknown = Evidence(Verdict.UNKNOWN, (), "too slow")
        self.assertFalse((await self.run_of(evidence(True), unknown)).finish())

    async def test_hand_on_each_result_when_it_is_there(self) -> None:
        run = await self.run_of(evidence(True), evidence(True))
        self.assertEqual(self.seen, run.results)

    async def test_are_json_with_versions_and_findings(self) -> None:
        document = (await self.run_of(evidence(True, "line"))).as_json()
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

    async def test_show_their_progress(self) -> None:
        await self.run_of(*[evidence(True)] * 5, seconds=4.0)
        self.assertEqual(
            self.progress.getvalue().splitlines(),
            [
                "findings: reproducing 5 findings",
                "findings: reproducing: 3 of 5, 0:08 left, now number-3",
            ],
        )

    async def test_show_no_progress_of_a_single_one(self) -> None:
        await self.run_of(evidence(True))
        self.assertEqual(self.progress.getvalue(), "")


class _Reactor:
    """A reactor for reproductions with given outcomes."""

    def __init__(self, ended: Deferred[None]) -> None:
        self._ended = ended

    def addSystemEventTrigger(self, *_: object) -> None:  # noqa: N802
        pass

    def stop(self) -> None:
        self._ended.callback(None)
