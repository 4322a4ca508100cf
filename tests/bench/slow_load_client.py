"""What the load client costs: that it is measured, not how much it is."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from bench import load_client
from bench.child import CannotMeasure


@skipUnless(shutil.which("node") and shutil.which("openssl"), "needs Node and openssl")
class LoadClient(SynchronousTestCase):
    def test_everything_is_measured_and_compared(self) -> None:
        self.patch(load_client, "SECONDS", 1)
        self.patch(load_client, "PACKETS", 2000)
        self.patch(sys, "argv", ["load_client", "--rounds=1"])
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = load_client.main()
        self.assertIn(status, (0, 1), output.getvalue())
        for name in load_client.MEASURES:
            self.assertRegex(output.getvalue(), rf"(?m)^{name} +\d+\.\d\d µs of CPU")
        ratios = output.getvalue().splitlines()[len(load_client.MEASURES) :]
        self.assertEqual(len(ratios), len(load_client.RATIOS))
        for line in ratios:
            self.assertRegex(line, r": \d+\.\d\d \(.*\), at most \d\.\d: (yes|NO)$")


class Programs(SynchronousTestCase):
    def test_one_that_is_missing_is_named(self) -> None:
        problem = self.assertRaises(CannotMeasure, load_client.program, "no-program")
        self.assertEqual(str(problem), "there is no no-program")
