from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.cli.refusals import RefusingCase
from tests.lab.findings.test_finding import finding
from tests.support import certificates
from tlsdemo.cli import findings_command as command
from tlsdemo.cli.findings_command import Examinations, FindingsOptions
from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.net.child_process import environment
from tlsdemo.reporting.finding_result import Evidence, FindingResult, Verdict


class Options(RefusingCase):
    def parsed(self, *arguments: str) -> FindingsOptions:
        options = FindingsOptions()
        options.parseOptions(arguments)
        return options

    def test_each_problem_is_one_line(self) -> None:
        for arguments, expected in {
            "alpn": "no finding is called 'alpn'; did you mean alpn-kills-handshake?",
            "no-resumptions": "no finding is called 'no-resumptions'; did you mean no-resumption?",
            "zz": f"no finding is called 'zz'; there are {', '.join(FINDINGS)}",
            "--all no-resumption": "--all goes with no name",
            "--json": "--format=json needs --all, or names of findings",
            "--format=markdown": "--format=markdown needs --all, or names of findings",
            "--format=html": "--format is 'html', none of text, json, markdown",
            "--json --all --format=markdown": "--json and --format=markdown exclude each other",
        }.items():
            said = self.refused(lambda each=arguments: self.parsed(*each.split()))  # type: ignore[misc]
            self.assertEqual(said, f"tlsdemo findings: {expected} (try: tlsdemo findings --help)")

    def test_names_are_taken_once_in_their_order(self) -> None:
        names = ["no-resumption", "alpn-kills-handshake", "no-resumption"]
        self.assertEqual(self.parsed(*names)["names"], names[:2])
        self.assertEqual(self.parsed("--all")["names"], list(FINDINGS))

    def test_without_a_name_all_are_listed(self) -> None:
        output = StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(self.parsed().run(), 0)
        self.assertEqual(len(output.getvalue().splitlines()), len(FINDINGS))

    def test_a_folder_that_cannot_hold_certificates_is_told(self) -> None:
        options = self.parsed("--certs=/dev/null/certs", "no-resumption")
        self.assertIn("/dev/null/certs", self.refused(options.run, status=1))


class Runs(TestCase):
    """What is told of reproductions whose outcome is given."""

    def setUp(self) -> None:
        self.output, self.progress = StringIO(), StringIO()
        self.clock = [0.0]

    async def run_of(self, form: str, *outcomes: Evidence, seconds: float = 1.0) -> int:
        given = list(outcomes)

        async def examined(_r: Any, _c: Any, each: Finding, _v: Any) -> FindingResult:
            self.clock[0] += seconds
            return FindingResult(each.description, given.pop(0), seconds)

        self.patch(command, "examine", examined)
        findings = [finding(f"number-{number}") for number in range(len(outcomes))]
        ended: Deferred[None] = Deferred()
        stand_in = _Reactor(self.clock, ended)
        run = Examinations(stand_in, certificates(), findings, form, self.output, self.progress)
        run.start()
        await ended
        return run.finish()

    async def test_every_verdict_but_no_verdict_is_a_success(self) -> None:
        self.assertEqual(await self.run_of("text", evidence(True), evidence(False)), 0)
        unknown = Evidence(Verdict.UNKNOWN, (), "too slow")
        self.assertEqual(await self.run_of("text", evidence(True), unknown), 1)

    async def test_a_summary_follows_if_there_are_several(self) -> None:
        await self.run_of("text", evidence(True))
        self.assertNotIn("1 still so", self.output.getvalue())
        await self.run_of("text", evidence(True), evidence(True))
        self.assertIn("2 still so, in 2.0 s", self.output.getvalue())

    async def test_json_holds_versions_and_findings(self) -> None:
        await self.run_of("json", evidence(True, "line"))
        told = json.loads(self.output.getvalue())
        self.assertIn("Twisted", told["versions"])
        self.assertEqual(
            told["findings"],
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

    async def test_progress_is_shown_after_two_seconds_and_apart_from_the_output(self) -> None:
        outcomes = [evidence(True)] * 5
        await self.run_of("json", *outcomes)
        self.assertEqual(
            self.progress.getvalue().splitlines(),
            ["2 of 5 done, now number-2", "4 of 5 done, now number-4"],
        )
        json.loads(self.output.getvalue())

    async def test_a_quick_run_shows_no_progress(self) -> None:
        await self.run_of("json", *[evidence(True)] * 5, seconds=0.1)
        self.assertEqual(self.progress.getvalue(), "")


class _Reactor:
    """As much of a reactor as a run needs, if its reproductions are given."""

    def __init__(self, clock: list[float], ended: Deferred[None]) -> None:
        self._clock = clock
        self._ended = ended

    def seconds(self) -> float:
        return self._clock[0]

    def addSystemEventTrigger(self, *_: object) -> None:  # noqa: N802
        pass

    def stop(self) -> None:
        self._ended.callback(None)


class Processes(TestCase):
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tlsdemo", "findings", "--certs", str(Path.cwd()), *arguments],
            env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(process.kill)
        return process

    def test_a_finding_is_reproduced_and_its_logging_is_kept_away(self) -> None:
        output, errors = self.start("--json", "close-notify-in-handshake").communicate(timeout=60)
        (told,) = json.loads(output)["findings"]
        self.assertEqual((told["verdict"], errors), ("still so", ""))

    def test_the_page_of_one_finding_is_printed(self) -> None:
        process = self.start("--format=markdown", "no-resumption")
        output, errors = process.communicate(timeout=60)
        self.assertTrue(output.startswith("# Findings\n"), output)
        self.assertIn("- Reproduce: `tlsdemo findings no-resumption`\n", output)
        self.assertEqual((process.returncode, errors), (0, ""))

    def test_what_is_interrupted_tells_what_it_has(self) -> None:
        process = self.start("secure-mark-before-handshake", *[
            "stopped-without-close-notify", "plain-slower-than-tls", "paused-producer-never-ends",
        ])  # fmt: skip
        assert process.stdout is not None
        while "Verdict" not in process.stdout.readline():
            pass
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(
            errors.splitlines()[-1],
            "tlsdemo findings: interrupted: the verdicts are those until then",
        )
        self.assertNotIn("Traceback", errors)
