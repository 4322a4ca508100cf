"""The history of releases: which neighbours are compared, beside what, and the page."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.releases import __main__ as command
from bench.releases import release_run
from bench.releases.package_index import PackageIndex
from bench.releases.release_page import page
from bench.releases.release_run import ReleaseRun
from bench.releases.release_steps import Step, release_steps
from tests.gate.matrices import cell, matrix
from tests.test_architecture import ROOT
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.tool import Done


def fitting(pins: Mapping[str, str]) -> dict[str, str]:
    """Releases of ``a`` up to 2 fit b 1 and 2, the others b 3; there is no 0."""
    if pins["a"] == "0":
        raise ComparisonError("there is no a 0")
    fit = ["2", "1"] if pins["a"] <= "2" else ["3"] if pins["a"] == "4" else ["3", "2"]
    if pins.get("b", fit[0]) not in fit:
        raise ComparisonError("it does not fit")
    return {"b": fit[0], **pins}


class Steps(SynchronousTestCase):
    def steps(self, *newest_first: str) -> list[tuple[str, str, str]]:
        return [
            (f"{each.older} to {each.newer}", each.before.get("b", ""), each.after.get("b", ""))
            for each in release_steps("a", newest_first, fitting)
        ]

    def test_the_others_stay_as_they_are_or_move_for_both(self) -> None:
        self.assertEqual(
            self.steps("4", "3", "2", "1"),
            [("3 to 4", "3", "3"), ("2 to 3", "2", "2"), ("1 to 2", "2", "2")],
        )

    def test_the_others_move_too_if_nothing_fits_both(self) -> None:
        self.assertEqual(self.steps("4", "2"), [("2 to 4", "2", "3")])

    def test_a_release_that_does_not_fit_has_a_problem_and_the_next_begin_anew(self) -> None:
        steps = list(release_steps("a", ("1", "0", "2", "1"), fitting))
        self.assertEqual([each.problem for each in steps], ["there is no a 0"] * 2 + [""])


class Index(SynchronousTestCase):
    def index(self, *said: str) -> PackageIndex:
        self.asked: list[Sequence[str]] = []
        left = list(said)
        self.patch(shutil, "which", lambda _name: "/bin/uv")

        def tool(command: Sequence[str], _variables: Mapping[str, str]) -> Done:
            self.asked.append(command)
            return Done(0, left.pop(0))

        return PackageIndex(tool)

    def problem(self, *arguments: Any) -> str:
        return str(self.assertRaises(ComparisonError, *arguments))

    def test_the_last_releases(self) -> None:
        said = "WARNING: experimental\na (3)\nAvailable versions: 3, 2, 1\n"
        self.assertEqual(self.index(said).latest("a", 2), ["3", "2"])
        self.assertIn("no releases of a: ", self.problem(self.index("ERROR: no").latest, "a", 2))

    def test_the_versions_that_fit_are_asked_for_once(self) -> None:
        said = "twisted==26.4.0\npyopenssl==3\nidna==1\ncryptography==2\nservice-identity==1\n"
        index = self.index(said)
        for _ in range(2):
            found = index.fitting({"pyopenssl": "99"})
            self.assertEqual((found["twisted"], found["pyopenssl"], len(found)), ("26.4.0", "3", 4))
        self.assertEqual(len(self.asked), 1)

    def test_what_does_not_fit_and_what_is_too_old(self) -> None:
        index = self.index("error: No solution found\n  Caused by: a needs b\n")
        for _ in range(2):
            self.assertIn("a needs b", self.problem(index.fitting, {"pyopenssl": "99"}))
        self.assertIn(
            "is older than tlsdemo supports", self.problem(index.fitting, {"twisted": "1"})
        )
        self.patch(shutil, "which", lambda _name: None)
        self.assertIn("pip install uv", self.problem(index.fitting, {"pyopenssl": "98"}))


class FakeBuilder:
    def interpreter(self, name: str | None) -> None:
        return None

    @contextmanager
    def provide(self, requested: Sequence[Any], python: object) -> Any:
        text = requested[0].text
        yield Environment(Path(text), versions={"Twisted": text[-1], "Python": "3"})


class Runs(SynchronousTestCase):
    def setUp(self) -> None:
        self.runs: list[str] = []
        self.patch(release_run, "run_candidate", self.run_candidate)
        builder: Any = FakeBuilder()
        self.run_ = ReleaseRun(builder, ["stock"], lambda _: None)

    def run_candidate(self, environment: Environment, arguments: Any, timeout: float) -> Any:
        self.runs.append(environment.key)
        if environment.key == "twisted==0":
            raise ComparisonError("it crashed")
        return matrix(cell(server=["secure" if environment.key < "twisted==3" else "failed"]))

    def compared(self, older: str, newer: str) -> dict[str, Any]:
        before, after = ({"twisted": each} for each in (older, newer))
        return self.run_.compared(Step("twisted", older, newer, before, after))

    def test_each_release_is_observed_once(self) -> None:
        first, second = self.compared("2", "3"), self.compared("1", "2")
        self.assertEqual([each["candidate"] for each in first["changes"]], ["failed"])
        self.assertEqual(second["changes"], [])
        self.assertEqual(sorted(self.runs), ["twisted==1", "twisted==2", "twisted==3"])
        rows = page({"date": "today", "python": "3", "parts": ["stock"],
                     "steps": [first, second]}).splitlines()  # fmt: skip
        self.assertIn("stock, server | 1 | secure | failed | [Twisted](https://", "\n".join(rows))
        self.assertIn("| 1 → 2 |  | nothing |", "\n".join(rows))

    def test_what_crashes_is_a_problem_of_each_step_that_has_it(self) -> None:
        for _ in range(2):
            self.assertEqual(self.compared("0", "1")["problem"], "it crashed")
        self.assertEqual(self.runs, ["twisted==0"])
        step = self.run_.compared(Step("twisted", "0", "1", problem="a | b"))
        shown = page({"date": "", "python": "", "parts": [], "steps": [step]})
        self.assertIn(r"not compared: a \| b |", shown)


class TheCommand(SynchronousTestCase):
    def test_keeps_what_it_has_of_other_packages(self) -> None:
        output = Path(self.mktemp())
        output.mkdir()
        steps = [{"package": each, "older": "1", "newer": "2", "problem": "p"}
                 for each in ("cryptography", "twisted")]  # fmt: skip
        self.patch(command, "_steps", lambda packages, _releases, _parts: [
            each for each in steps if each["package"] in packages])  # fmt: skip
        for package in ("cryptography", "twisted", "cryptography"):
            self.assertEqual(command.main([f"--output={output}", f"--package={package}"]), 0)
        data = json.loads((output / command.DATA).read_text())
        self.assertEqual(data["steps"], [steps[1], steps[0]])
        self.assertEqual(data["parts"], ["findings", "stock"])
        again = output / "again.md"
        command.main([f"--output={output}", f"--page-only={again}"])
        self.assertEqual(again.read_text(), (output / command.PAGE).read_text())

    def test_without_a_package_index_there_is_an_error(self) -> None:
        def no_steps(*_: object) -> None:
            raise ComparisonError("no index")

        self.patch(command, "_steps", no_steps)
        errors = io.StringIO()
        self.patch(sys, "stderr", errors)
        self.assertEqual(command.main([f"--output={self.mktemp()}"]), 2)
        self.assertEqual(errors.getvalue(), "releases: no index\n")


class ThePage(SynchronousTestCase):
    def test_is_that_of_its_data(self) -> None:
        docs = ROOT / "docs"
        data = json.loads((docs / "gate-history.json").read_text(encoding="utf-8"))
        written = (docs / "gate-history.md").read_text(encoding="utf-8")
        self.assertEqual(written, page(data), "run: python -m bench.releases --page-only FILE")
        packages = [step["package"] for step in data["steps"]]
        self.assertEqual({each: packages.count(each) for each in packages},
                         {"twisted": 9, "pyopenssl": 9, "cryptography": 9})  # fmt: skip

    def test_a_finding_without_a_verdict_has_its_reason(self) -> None:
        change = {"part": "findings", "what": "no-resumption", "baseline": "still so",
                  "candidate": "cannot tell", "cells": [], "problem": "it crashed"}  # fmt: skip
        versions = dict.fromkeys(("Python", "Twisted", "pyOpenSSL", "cryptography", "OpenSSL"), "1")
        step = {"package": "pyopenssl", "older": "1", "newer": "2", "problem": "",
                "changes": [change], "versions": {"here": versions, "there": {
                    **versions, "pyOpenSSL": "2", "OpenSSL": "3"}}}  # fmt: skip
        shown = page({"date": "", "python": "", "parts": [], "steps": [step]})
        self.assertIn("| Twisted 1, cryptography 1, OpenSSL 1 → 3 | no verdict on [no-res", shown)
        self.assertIn(": it crashed |  | still so | cannot tell | [pyOpenSSL](", shown)
