from __future__ import annotations

import io
import sys
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare import pip_steps
from tlsdemo.lab.compare.pip_steps import main, step
from tlsdemo.net.command import CompletedCommand


class Steps(SynchronousTestCase):
    def test_say_what_is_installed_and_what_for(self) -> None:
        for line, expected in {
            "Collecting Twisted[tls]>=24 (from tlsdemo==0.1.0)": "Twisted[tls]>=24, for tlsdemo",
            "Collecting idna (from hyperlink>=17.1->Twisted>=24.7)": "idna, for hyperlink",
            "Collecting wheel": "wheel",
            "Processing /a/rich-15.0-py3-none-any.whl (from tlsdemo==1)": "rich-15.0, for tlsdemo",
            "Installing collected packages: a, b, c": "installing 3 packages",
            "  Preparing metadata (pyproject.toml): started": "Preparing metadata (pyproject.toml)",
            "  Downloading attrs-25.4.0-py3-none-any.whl (67 kB)": None,
            "Requirement already satisfied: rich in ./lib": None,
        }.items():
            self.assertEqual(step(line), expected)

    def test_go_to_standard_error_and_leave_pips_status(self) -> None:
        for status, said in ((0, "   wheel\n"), (3, "   wheel\nCollecting wheel\nno\n\n")):
            errors = io.StringIO()
            self.patch(sys, "stderr", errors)

            def run(
                command: list[str],
                _timeout: float,
                line: Callable[[str], object],
                status: int = status,
            ) -> CompletedCommand:
                self.assertEqual(command[1:5], ["-m", "pip", "install", "wheel"])
                line("Collecting wheel")
                return CompletedCommand(status, "Collecting wheel\nno\n")

            self.patch(pip_steps, "run_command", run)
            self.assertEqual(main(["install", "wheel"]), status)
            self.assertEqual(errors.getvalue(), said)
