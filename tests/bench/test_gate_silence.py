"""The bench that runs the gate against what is installed."""

from __future__ import annotations

import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from bench.gate_silence import main


class Silence(SynchronousTestCase):
    def runs(self, *outcomes: tuple[int, str]) -> tuple[int, str]:
        left = list(outcomes)
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        status = main([f"--runs={len(left)}"], lambda _against: left.pop(0))
        return status, output.getvalue()

    def test_all_runs_are_silent(self) -> None:
        status, text = self.runs((0, ""), (0, ""))
        self.assertEqual(status, 0)
        self.assertIn("2 of 2 runs were silent, with twisted==", text)

    def test_a_run_that_speaks_or_fails_is_shown(self) -> None:
        status, text = self.runs((1, "a race"), (2, ""), (0, ""))
        self.assertEqual(status, 1)
        self.assertIn("run 1: exit status 1, 0 s\na race\nrun 2: exit status 2", text)
        self.assertIn("1 of 3 runs were silent", text)
