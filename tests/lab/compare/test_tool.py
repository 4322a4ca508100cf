from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import Watched
from tlsdemo.lab.compare import tool
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.tool import Done, execute


class Executing(SynchronousTestCase):
    def python(self, code: str, timeout: float = 60.0, **options: object) -> Done:
        arguments = [sys.executable, "-S", "-c", code]
        return execute(arguments, os.environ, timeout, **options)  # type: ignore[arg-type]

    def test_gives_the_status_and_all_that_was_said(self) -> None:
        done = self.python("import sys; print('a', flush=True); sys.stderr.write('b'); sys.exit(3)")
        self.assertEqual((done.status, done.said.split()), (3, ["a", "b"]))

    def test_can_leave_out_the_errors(self) -> None:
        done = self.python("import sys; print('a')", errors_apart=True)
        self.assertEqual(done, Done(0, "a\n"))

    def test_gives_no_input(self) -> None:
        self.assertEqual(self.python("import sys; print(sys.stdin.read())").said, "\n")

    def test_happens_in_the_folder_that_is_given(self) -> None:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        said = self.python("import os; print(os.getcwd())", folder=folder).said
        self.assertEqual(said.strip(), str(folder.resolve()))

    def test_when_interrupted_ends_it_with_all_that_it_has_started(self) -> None:
        if not hasattr(os, "pidfd_open"):
            raise SkipTest("Python has no os.pidfd_open here, with which to wait for others")
        code = (
            "import subprocess, sys, time\n"
            "sleep = [sys.executable, '-S', '-c', 'import time; time.sleep(99)']\n"
            "child = subprocess.Popen(sleep)\n"
            "open(sys.argv[1], 'w').write(f'{child.pid}.')\n"
            "time.sleep(99)"
        )
        path = Path(self.mktemp()).absolute()
        self.patch(tool, "REPORT_EVERY", 0.01)
        waited: list[float] = []
        grandchildren: list[Watched] = []

        def waiting(seconds: float) -> None:
            waited.append(seconds)
            if path.exists() and (text := path.read_text()).endswith("."):
                grandchildren.append(Watched([int(text[:-1])]))
                raise KeyboardInterrupt

        arguments = [sys.executable, "-S", "-c", code, str(path)]
        self.assertRaises(KeyboardInterrupt, execute, arguments, os.environ, 60.0, waiting=waiting)
        self.addCleanup(grandchildren[0].end)
        self.assertEqual(grandchildren[0].still_run(), [])
        self.assertEqual(waited, sorted(waited))

    def test_tells_what_did_not_end_in_time(self) -> None:
        problem = self.assertRaises(
            ComparisonError, self.python, "import time; time.sleep(99)", timeout=0.05
        )
        self.assertEqual(str(problem), f"{sys.executable} did not end within 0 s")

    def test_tells_what_cannot_be_started(self) -> None:
        problem = self.assertRaises(ComparisonError, execute, ["/nowhere/x"], {}, 1.0)
        self.assertEqual(str(problem), "cannot start /nowhere/x: No such file or directory")
