"""Environments with the oldest supported versions, built by the real pip and uv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from interop.attempts import Part, tried
from tests.end_to_end.processes import ProcessCase
from tlsdemo.net.child_process import environment

OLD = "twisted==24.7.0 pyopenssl==24.2.1"
BUILD_WITHIN = 600.0
PARTS = tuple(Part("client and server", "immediate", mode) for mode in ("starttls", "pair"))


class OtherVersionsCase(ProcessCase):
    path = os.environ.get("PATH", "")

    def tlsdemo(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tlsdemo", *arguments],
            env={**environment(), "XDG_CACHE_HOME": str(self.home), "PATH": self.path},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=BUILD_WITHIN, check=False,
        )  # fmt: skip
        if "index cannot be reached" in done.stdout:
            raise SkipTest("there is no package index within reach")
        self.assertEqual(done.returncode, status, done.stdout)
        self.assertNotIn("Traceback", done.stdout)
        return done.stdout

    def compare(self) -> str:
        return self.tlsdemo(
            *("run", f"--against={OLD}", "--rounds=2", "--conn=5", "--workers=1", self.certs),
            *("--duration=0.1", "--mode=starttls", "--mode=pair", f"--json={self.home / 'json'}"),
        )

    def check(self) -> None:
        self.assertIn("built in", self.compare())
        self.assertNotIn("building", self.compare())
        (against,) = json.loads((self.home / "json").read_text())["against"]
        self.assertEqual(against["versions"]["Twisted"], "24.7.0")
        self.assertEqual(against["versions"]["pyOpenSSL"], "24.2.1")
        self.assertEqual([run["mode"] for run in against["runs"]],
                         ["starttls", "starttls", "pair", "pair"])  # fmt: skip
        for run in against["runs"]:
            self.assertEqual((run["secured"], run["lost"]), (5, 0))
        self.assertIn("Twisted 24.7.0", self.tlsdemo("versions"))
        self.assertIn("removed pyopenssl-24.2.1", self.tlsdemo("versions", "--clear"))
        self.assertEqual(list((self.home / "tlsdemo" / "versions").iterdir()), [])


class WithPip(OtherVersionsCase):
    # Without an installed uv on it.
    path = os.defpath

    @tried("builds an environment with the oldest versions, for `--against`", "pip", parts=PARTS)
    def test_the_oldest_versions_are_built_once_compared_and_cleared(self) -> None:
        self.check()

    @tried("a version that does not exist is an error", "pip")
    def test_a_version_that_does_not_exist_is_an_error_in_one_line_and_leaves_nothing(self) -> None:
        output = self.tlsdemo("run", "--against=twisted==24.7.99", status=1)
        self.assertTrue(
            output.endswith(
                "tlsdemo run: --against is 'twisted==24.7.99': "
                "No matching distribution found for twisted==24.7.99\n"
            ),
            output,
        )
        self.assertEqual(list((self.home / "tlsdemo" / "versions").iterdir()), [])


class WithUv(OtherVersionsCase):
    # pip installs uv beside Python, which need not be on the PATH.
    path = os.pathsep.join([str(Path(sys.executable).parent), OtherVersionsCase.path])

    @tried("builds an environment with the oldest versions, for `--against`", "uv", parts=PARTS)
    def test_the_oldest_versions_are_built_once_compared_and_cleared(self) -> None:
        if shutil.which("uv", path=self.path) is None:
            raise SkipTest("there is no uv: pip install uv")
        self.check()
