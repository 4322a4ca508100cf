from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.cli.test_comparison_options import ComparisonCase
from tests.gate.matrices import cell, findings, matrix
from tlsdemo.cli import gate_command
from tlsdemo.cli.gate_command import GateOptions
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Environment


class TheCommand(ComparisonCase):
    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)
        self.patch(os, "environ", {**os.environ, "GITHUB_ACTIONS": "false"})
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.here: Any = matrix(cell(server=["secure"]))
        self.there: Any = matrix(cell(server=["secure"]))
        self.patch(gate_command, "run_here", lambda arguments, timeout: self.here)
        self.patch(gate_command, "run_candidate", self.run_there)

    def run_there(self, environment: Environment, arguments: Sequence[str], timeout: float) -> Any:
        if isinstance(self.there, BaseException):
            raise self.there
        return self.there

    def options(self, *arguments: str) -> GateOptions:
        options = GateOptions()
        options.parseOptions(["--against=twisted==2", "--part=stock", *arguments])
        return options

    def gate(self, *arguments: str) -> tuple[int, str]:
        status = self.options(*arguments).run()
        text = self.output.getvalue()
        self.output.seek(0)
        self.output.truncate()
        return status, text

    def test_is_silent_if_nothing_has_changed(self) -> None:
        self.assertEqual(self.gate(), (0, ""))

    def test_says_what_has_changed(self) -> None:
        self.there = matrix(cell(server=["failed"]))
        status, text = self.gate()
        self.assertEqual(status, 1)
        self.assertIn("it was secure; it is failed\n", text)
        self.assertIn("--accept=gate.json --accept-new, and commit gate.json\n", text)
        self.assertNotIn("::error", text)

    def test_what_is_accepted_is_silent_afterwards(self) -> None:
        self.there = matrix(cell(server=["failed"]))
        file = f"--accept={self.folder / 'gate.json'}"
        self.assertEqual(self.gate(file)[0], 1)
        self.assertEqual(self.gate(file, "--accept-new"), (0, ""))
        self.assertEqual(self.gate(file), (0, ""))
        self.there = matrix(cell(server=["refused"]))
        self.assertEqual(self.gate(file)[0], 1)

    def test_writes_files_for_ci(self) -> None:
        self.there = matrix(cell(server=["failed"]))
        self.gate(f"--json={self.folder / 'j'}", f"--junit={self.folder / 'x'}")
        (against,) = json.loads((self.folder / "j").read_text())["against"]
        self.assertEqual(against["changes"][0]["candidate"], "failed")
        suites = ElementTree.parse(self.folder / "x").getroot()
        self.assertEqual(suites[0].get("failures"), "1")

    def test_writes_annotations_on_request_and_in_github_actions(self) -> None:
        self.there = matrix(cell(server=["failed"]))
        self.assertIn("::error title=", self.gate("--github")[1])
        self.patch(os, "environ", {**os.environ, "GITHUB_ACTIONS": "true"})
        self.assertIn("::error title=", self.gate()[1])

    def test_an_error_is_no_verdict(self) -> None:
        self.there = ComparisonError("tlsdemo gate gave no result")
        self.assertIn("gave no result", self.last(lambda: self.gate()))
        self.there = KeyboardInterrupt()
        self.assertIn("interrupted", self.last(lambda: self.gate()))

    def last(self, act: Any) -> str:
        exit_ = self.assertRaises(SystemExit, act)
        self.assertEqual(exit_.code, 2)
        return self.errors.getvalue().splitlines()[-1]

    def test_a_finding_without_a_verdict_is_an_error_beside_what_has_changed(self) -> None:
        self.here = findings(a="still so", b="still so", c="still so")
        self.there = findings(a="cannot tell", b="cannot tell", c="not yet so")
        file = self.folder / "gate.json"
        for more in (), (f"--accept={file}", "--accept-new"), (f"--accept={file}",):
            options = GateOptions()
            options.parseOptions(["--against=twisted==2", "--part=findings", *more])
            self.assertEqual(
                self.last(options.run),
                "tlsdemo gate: twisted==2: no verdict on the finding a (and on 1 more): "
                "the reproduction failed: Gone",
            )
        self.assertEqual(self.output.getvalue().count("c: it was still so; it is not yet so"), 1)
        self.assertNotIn("findings, a: ", self.output.getvalue() + file.read_text())

    def test_a_file_that_cannot_be_written(self) -> None:
        self.there = matrix(cell(server=["failed"]))
        options = self.options(f"--json={self.folder / 'j'}")
        (self.folder / "j").mkdir()
        self.assertIn("Is a directory", self.last(options.run))
        # Minutes of work are not lost.
        self.assertIn("it is failed", self.output.getvalue())

    def test_observe_shows_what_is_seen(self) -> None:
        self.patch(gate_command, "stock_matrix", lambda: {"cells": []})
        options = GateOptions()
        options.parseOptions(["--observe"])
        self.assertEqual((options.run(), self.output.getvalue()), (0, '{"cells": []}\n'))

    def test_contradictions_are_refused(self) -> None:
        (self.folder / "bad").write_text("[")
        for arguments, problem in (
            ([], "compare with what?"),
            (["--observe", "--against=twisted==99"], "--observe is given, and it compares nothing"),
            (["--observe", "--part=stock"], "--observe is given, and it compares nothing"),
            (["--observe", "--json=j"], "--json is 'j', and --observe compares nothing"),
            (["--against=twisted==99", "--accept-new"], "name one with --accept"),
            (["--against=twisted==99", "--part=costs"], "--part is 'costs', none of"),
            (["--against=twisted==99", f"--accept={self.folder / 'bad'}"], "is no file from"),
            (["--against=./nowhere"], "there is no folder ./nowhere"),
        ):
            refusal = self.refused(partial(GateOptions().parseOptions, arguments))
            self.assertIn(problem, refusal)
