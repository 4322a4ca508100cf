"""Our own Python stands in for the environment: it has all that tlsdemo needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare import candidate_run as there
from tlsdemo.lab.compare.candidate_run import run_there
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.problem import Unattainable


class RunningThere(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute() / "other-versions"
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin" / "python"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        program.chmod(0o755)
        self.environment = Environment(folder)

    def problem(self, *arguments: str, within: float = 60.0) -> str:
        return str(self.assertRaises(Unattainable, run_there, self.environment, arguments, within))

    def stand_in(self, code: str) -> None:
        self.patch(there, "_TLSDEMO", code)

    def test_gives_what_the_command_printed_as_json(self) -> None:
        self.stand_in("import json, sys; print(json.dumps(sys.argv[1:]))")
        found = run_there(self.environment, ["events", "--format=json"], 60.0)
        self.assertEqual(found, ["events", "--format=json"])

    def test_uses_the_tlsdemo_that_runs_lent_to_the_environment(self) -> None:
        self.stand_in(
            "import json, tlsdemo; from twisted.plugins import tlsdemo_plugin as plugin\n"
            "print(json.dumps([tlsdemo.__file__, plugin.__file__]))"
        )
        for path in run_there(self.environment, [], 60.0):
            self.assertTrue(path.startswith(str(self.environment.folder)), path)

    def test_takes_a_result_whatever_the_status(self) -> None:
        self.stand_in("print('{}'); raise SystemExit(1)")
        self.assertEqual(run_there(self.environment, [], 60.0), {})

    def test_runs_the_command_itself_and_tells_that_it_gave_no_result(self) -> None:
        # What it prints is a version, which is no JSON.
        self.assertEqual(
            self.problem("--version"),
            "tlsdemo --version gave no result in other-versions: it ended with status 0",
        )

    def test_ends_what_takes_too_long(self) -> None:
        self.stand_in("import time; time.sleep(99)")
        self.assertIn("did not end within", self.problem("events", within=0.05))

    def test_does_not_take_a_tlsdemo_from_the_folder_where_it_is_run(self) -> None:
        decoy = Path(self.mktemp()).absolute()
        (decoy / "tlsdemo").mkdir(parents=True)
        (decoy / "tlsdemo" / "__init__.py").write_text("raise SystemExit(77)")
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        os.chdir(decoy)
        self.assertIn("it ended with status 0", self.problem("--version"))
