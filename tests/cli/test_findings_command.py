from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import TestCase

from tests.cli.refusals import RefusingCase
from tlsdemo.cli.finding_files import reportable
from tlsdemo.cli.findings_command import FindingsOptions
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.net.child_process import environment


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
            "--all no-resumption": "--all does not take names",
            "--against=twisted==26.4.0": "--against is 'twisted==26.4.0', and no finding is named; "
            "add names, or --all",
            "--json": "--format=json needs --all, or names of findings",
            "--format=markdown": "--format=markdown needs --all, or names of findings",
            "--format=html": "--format is 'html', none of text, json, markdown",
            "--all --exit-code": "--exit-code needs --against or --python",
            "--json --all --format=markdown": "--json and --format=markdown exclude each other",
            "--as-tests=x --reports=y": "--reports is 'y', but --as-tests reproduces nothing",
            "--as-benchmarks=x --as-tests=y": "--as-tests is 'y', but --as-benchmarks only writes "
            "benchmarks",
            "--as-benchmarks=x no-resumption": "--as-benchmarks takes no names of findings, nor "
            "--all",
            "--reports=y --details": "--details is given, but --reports writes its results into "
            "files",
        }.items():
            message = self.refused(lambda each=arguments: self.parsed(*each.split()))  # type: ignore[misc]
            self.assertEqual(
                message, f"tlsdemo findings: {expected} (try: tlsdemo findings --help)"
            )

    def test_duplicate_names_are_ignored(self) -> None:
        names = ["no-resumption", "alpn-kills-handshake", "no-resumption"]
        self.assertEqual(self.parsed(*names)["names"], names[:2])
        self.assertEqual(self.parsed("--all")["names"], list(FINDINGS))

    def test_without_a_name_all_are_listed(self) -> None:
        output = StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(self.parsed().run(), 0)
        self.assertEqual(len(output.getvalue().splitlines()), len(FINDINGS))

    def test_a_folder_that_cannot_hold_certificates_is_reported(self) -> None:
        options = self.parsed("--certs=/dev/null/certs", "no-resumption")
        self.assertIn("/dev/null/certs", self.refused(options.run, status=1))

    def test_without_a_name_the_reports_are_about_what_has_no_ticket(self) -> None:
        self.assertEqual(self.parsed("--reports=x")["names"], reportable())
        self.assertEqual(self.parsed("--reports=x", "no-resumption")["names"], ["no-resumption"])

    def test_all_findings_are_written_as_tests(self) -> None:
        output, directory = StringIO(), Path(self.mktemp())
        self.patch(sys, "stdout", output)
        self.assertEqual(self.parsed(f"--as-tests={directory}").run(), 0)
        path = directory / "test_tls_findings.py"
        self.assertEqual(output.getvalue(), f"{path}\n")
        self.assertEqual(path.read_text("utf-8").count("    def test_"), len(FINDINGS))

    def test_benchmarks_are_written_that_do_not_need_tlsdemo(self) -> None:
        output, directory = StringIO(), Path(self.mktemp())
        self.patch(sys, "stdout", output)
        self.assertEqual(self.parsed(f"--as-benchmarks={directory}").run(), 0)
        path = directory / "test_tls_benchmarks.py"
        self.assertEqual(output.getvalue(), f"{path}\n")
        source = path.read_text("utf-8")
        self.assertIn("def test_handshake(benchmark", source)
        self.assertNotRegex(source, r"\n(from|import) tlsdemo")

    def test_a_folder_that_cannot_be_written_to_is_reported(self) -> None:
        options = self.parsed("--as-tests=/dev/null/tests")
        self.assertIn("/dev/null/tests", self.refused(options.run, status=1))


class Processes(TestCase):
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tlsdemo", "findings", "--certs", str(Path.cwd()), *arguments],
            env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.addCleanup(process.kill)
        return process

    def test_a_finding_is_reproduced_without_its_log_messages(self) -> None:
        output, errors = self.start("--json", "close-notify-in-handshake").communicate(timeout=60)
        (found,) = json.loads(output)["findings"]
        self.assertEqual((found["verdict"], errors), ("still so", ""))

    def test_the_page_of_one_finding_is_printed(self) -> None:
        process = self.start("--format=markdown", "no-resumption")
        output, errors = process.communicate(timeout=60)
        self.assertTrue(output.startswith("# Findings\n"), output)
        self.assertIn("- Reproduce: `tlsdemo findings no-resumption`\n", output)
        self.assertEqual((process.returncode, errors), (0, ""))

    def test_a_report_is_written(self) -> None:
        directory = Path(self.mktemp())
        process = self.start(f"--reports={directory}", "no-resumption")
        output, errors = process.communicate(timeout=60)
        self.assertEqual(output.splitlines(), [
            f"{directory}/no-resumption.md", f"{directory}/index.md",
        ])  # fmt: skip
        self.assertEqual((process.returncode, errors), (0, ""))

    def test_all_are_a_table_of_verdicts(self) -> None:
        output, errors = self.start("--all").communicate(timeout=120)
        lines = output.splitlines()
        self.assertEqual(len(lines), len(FINDINGS) + 4)
        self.assertIn(" still so, ", lines[-1])
        self.assertIn(f"tlsdemo findings: reproducing {len(FINDINGS)} findings\n", errors)

    def test_an_interrupted_run_shows_its_results(self) -> None:
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
            "tlsdemo findings: interrupted, the results are incomplete",
        )
        self.assertNotIn("Traceback", errors)
