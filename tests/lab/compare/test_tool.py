from __future__ import annotations

import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.tool import Done, execute


class Executing(SynchronousTestCase):
    def test_returns_the_status_and_the_output(self) -> None:
        command = [sys.executable, "-S", "-c", "print('a'); raise SystemExit(3)"]
        self.assertEqual(execute(command, os.environ, 60.0), Done(3, "a\n"))

    def test_a_program_that_cannot_be_started_fails_the_comparison(self) -> None:
        problem = self.assertRaises(ComparisonError, execute, ["/nowhere/x"], {}, 1.0)
        self.assertEqual(str(problem), "cannot start /nowhere/x: No such file or directory")
