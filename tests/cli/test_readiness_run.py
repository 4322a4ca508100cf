from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.refusals import RefusingCase
from tests.loadgen.fake_reactor import FakeReactor, task
from tests.support import certificates
from tlsdemo import tap_client
from tlsdemo.cli import readiness_run
from tlsdemo.cli.readiness_run import conclude, readiness_of
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.readiness_result import CheckResult, Verdict
from tlsdemo.reporting.terminal import console_of

PASSED = CheckResult("a", Verdict.PASSED, group="X25519MLKEM768", hello=9)
FAILED = CheckResult("b", Verdict.FAILED, "wrong name", "of a")
UNTESTED = CheckResult("c", Verdict.NOT_TESTED, detail="no way")


class Refusals(RefusingCase):
    def test_options_of_a_load_are_refused(self) -> None:
        for argument, problem in {
            "--conn=3": "--conn is '3', and --scenario=readiness is no load",
            "--mode=pair": "--mode is 'pair', and --scenario=readiness is no load",
            "--check=lost==0": "--check is 'lost==0', and --scenario=readiness is no load",
            "--background": "--background is given, and --scenario=readiness is no load",
            "--status=unix:a": "--status is 'unix:a', and --scenario=readiness is no load",
            "--resume": "--resume is given, and --scenario=readiness is no load",
            "--tls-max=1.2": "--tls-max is '1.2', and --scenario=readiness is about TLS 1.3",
        }.items():
            options = tap_client.Options()
            message = self.refused(
                lambda options=options, argument=argument: options.parseOptions(  # type: ignore[misc]
                    ["--scenario=readiness", argument]
                )
            )
            self.assertIn(problem, message)

    def test_no_status_service_is_not_refused(self) -> None:
        # It is in every command for a server that is not tlsdemo.
        options = tap_client.Options()
        options.parseOptions(["--scenario=readiness", "--status=none"])
        self.assertTrue(options.readiness)

    def test_tls_1_3_is_not_refused(self) -> None:
        options = tap_client.Options()
        options.parseOptions(["--scenario=readiness", "--tls-max=1.3", "--dialect=smtp"])
        self.assertTrue(options.readiness)

    def test_tlsdemo_run_has_no_such_scenario(self) -> None:
        message = self.refused(lambda: RunOptions().parseOptions(["--scenario=readiness"]))
        self.assertIn("use twistd tlsclient --connect", message)


class Results(SynchronousTestCase):
    def test_the_exit_status_says_whether_every_check_was_passed(self) -> None:
        for results, status in (
            ([], 1),
            ([PASSED], 0),
            ([PASSED, FAILED], 1),
            ([PASSED, UNTESTED], 1),
            ([FAILED], 2),
        ):
            self.assertEqual(conclude(None, task(), results)[0], status)

    def test_a_server_without_tls_is_one_line(self) -> None:
        line = "no connection was secured: wrong name: of a"
        self.assertEqual(conclude(None, task(), [FAILED]), (2, line, []))
        _, error, lines = conclude(None, task(), [PASSED])
        self.assertEqual((error, lines[-1]), ("", "1 checks: 1 passed, 0 failed, 0 not tested"))

    def test_the_document_is_written(self) -> None:
        path = self.mktemp()
        conclude(path, task(dialect="smtp"), [PASSED])
        written = json.loads(Path(path).read_text())
        self.assertEqual(written["schema"], 1)
        readiness = written["readiness"]
        self.assertEqual((readiness["ready"], readiness["dialect"]), (True, "smtp"))
        self.assertEqual(readiness["checks"][0]["verdict"], "passed")

    def test_a_document_that_cannot_be_written_is_a_failure(self) -> None:
        status, _, lines = conclude("/nowhere/a", task(), [PASSED])
        self.assertEqual(status, 2)
        self.assertEqual(lines[-1], "--json is '/nowhere/a': No such file or directory")


class Service(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.statuses: list[int] = []
        self.output, self.progress = io.StringIO(), io.StringIO()
        self.patch(sys, "__stdout__", self.output)
        self.patch(sys, "__stderr__", self.progress)
        self.patch(tap_client, "exit_with", self.statuses.append)
        self.patch(tap_client, "LoadService", lambda *arguments: arguments)

    def make(self, *arguments: str) -> tuple[Any, Any]:
        options = tap_client.Options()
        where = f"--certs={certificates().authority.parent.parent}"
        options.parseOptions([where, "--scenario=readiness", *arguments])
        made: Any = tap_client.makeService(options)
        _, run, finished = made
        return run, finished

    def test_it_prints_the_results(self) -> None:
        path = Path(self.mktemp())
        _, finished = self.make(f"--json={path}")
        finished([PASSED, FAILED])
        self.assertIn("FAILED      b: wrong name: of a", self.output.getvalue())
        self.assertEqual(self.statuses, [1])
        self.assertIs(json.loads(path.read_text())["readiness"]["ready"], False)

    def test_no_tls_at_all_is_one_line_on_standard_error(self) -> None:
        _, finished = self.make()
        finished([FAILED])
        line = "tlsclient: no connection was secured: wrong name: of a\n"
        self.assertTrue(self.progress.getvalue().endswith(line))
        self.assertEqual((self.statuses, self.output.getvalue()), ([2], ""))

    def test_an_exception_is_a_failure(self) -> None:
        _, finished = self.make()
        finished(None)
        self.assertEqual((self.statuses, self.output.getvalue()), ([1], ""))

    def test_each_check_has_ten_seconds_unless_others_are_given(self) -> None:
        for arguments, seconds in (((), readiness_run.TIMEOUT), (("--timeout=3",), 3.0)):
            options = tap_client.Options()
            where = f"--certs={certificates().authority.parent.parent}"
            options.parseOptions([where, "--scenario=readiness", *arguments])
            work = options.task("tcp:127.0.0.1:1", options["mode"], "localhost")
            progress = Progress(console_of(None))
            run = readiness_of(FakeReactor(), options, work, progress)
            self.assertEqual(run.task.timeout, seconds)
            self.assertEqual(run.task.handshake_timeout, seconds)
