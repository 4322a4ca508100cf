"""Commands in an environment; this process's own Python takes the place of the environment's."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare import candidate_run
from tlsdemo.lab.compare.candidate_run import run_candidate, run_here
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.tls import versions


class CandidateRun(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute() / "other-versions"
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin" / "python"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        program.chmod(0o755)
        self.environment = Environment(folder)

    def problem(self, *arguments: str, within: float = 60.0) -> str:
        return str(
            self.assertRaises(ComparisonError, run_candidate, self.environment, arguments, within)
        )

    def replace_tlsdemo(self, code: str) -> None:
        self.patch(candidate_run, "_TLSDEMO", code)

    def test_the_result_is_the_json_that_the_command_prints(self) -> None:
        self.replace_tlsdemo("import json, sys; print(json.dumps(sys.argv[1:]))")
        found = run_candidate(self.environment, ["events", "--format=json"], 60.0)
        self.assertEqual(found, ["events", "--format=json"])

    def test_the_environment_imports_the_running_tlsdemo(self) -> None:
        self.replace_tlsdemo(
            "import json, tlsdemo; from twisted.plugins import tlsdemo_plugin as plugin\n"
            "print(json.dumps([tlsdemo.__file__, plugin.__file__]))"
        )
        for path in run_candidate(self.environment, [], 60.0):
            self.assertTrue(path.startswith(str(self.environment.folder)), path)

    def test_the_exit_status_does_not_matter_if_there_is_a_result(self) -> None:
        self.replace_tlsdemo("print('{}'); raise SystemExit(1)")
        self.assertEqual(run_candidate(self.environment, [], 60.0), {})

    def test_a_command_without_a_result_is_an_error(self) -> None:
        # It prints a version, which is not JSON.
        self.assertEqual(
            self.problem("--version"),
            "tlsdemo --version gave no result in other-versions: it ended with status 0",
        )

    def test_a_crash_is_told_in_one_line(self) -> None:
        broken = self.environment.folder / "broken.py"
        broken.write_text("\nraise RuntimeError('no\\nsuch thing')\n")
        import_it = f"sys.path.insert(0, {str(broken.parent)!r}); import broken; from tlsdemo"
        self.replace_tlsdemo(candidate_run._TLSDEMO.replace("from tlsdemo", import_it, 1))
        self.assertEqual(
            self.problem("events"),
            "tlsdemo events crashed in other-versions: RuntimeError: no such thing, "
            f"in {broken}, line 2",
        )

    def test_a_command_that_takes_too_long_is_ended(self) -> None:
        self.replace_tlsdemo("import time; time.sleep(99)")
        self.assertIn("did not end within", self.problem("events", within=0.05))

    def test_the_installed_versions_are_run_in_the_same_way(self) -> None:
        result = run_here(["findings", "--format=json", "no-resumption"], 60.0)
        self.assertEqual(result["versions"], versions())
        problem = self.assertRaises(ComparisonError, run_here, ["--version"], 60.0)
        self.assertEqual(
            str(problem),
            "tlsdemo --version gave no result in the installed versions: it ended with status 0",
        )

    def test_a_tlsdemo_in_the_current_directory_is_not_imported(self) -> None:
        decoy = Path(self.mktemp()).absolute()
        (decoy / "tlsdemo").mkdir(parents=True)
        (decoy / "tlsdemo" / "__init__.py").write_text("raise SystemExit(77)")
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        os.chdir(decoy)
        self.assertIn("it ended with status 0", self.problem("--version"))
