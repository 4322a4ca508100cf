from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

MODULE = """\
from unittest import TestCase
from tlsdemo.testing.pins import EventPins
from tests.testing.pins.protocols import wrapped

def test_ok(tls_events):
    tls_events(wrapped, "ok", "ok.json")

def test_truncation(tls_events):
    tls_events(wrapped, "truncation", "{name}.json")

class TestMixin(EventPins, TestCase):
    def test_rst(self):
        self.assertEvents(wrapped, "RST", "rst.json")
"""
ROOT = Path(__file__).parents[3]


class ThePlugin(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def pytest(self, *arguments: str, name: str = "truncation") -> str:
        module = self.folder / "test_pins.py"
        module.write_text(MODULE.format(name=name))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir=."),
                *("-o", f"pythonpath={ROOT}", *arguments, "test_pins.py"),
            ],
            cwd=self.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def test_compares_and_writes_on_request(self) -> None:
        self.assertIn("there is no pin", self.pytest())
        self.assertIn("3 passed", self.pytest("--update-pins"))
        self.assertEqual(
            sorted(path.name for path in self.folder.glob("*.json")),
            ["ok.json", "rst.json", "truncation.json"],
        )
        self.assertIn("3 passed", self.pytest())
        output = self.pytest(name="ok")
        self.assertIn("1 failed, 2 passed", output)
        self.assertIn("connectionLost  reason=ConnectionLost", output)
        self.assertNotIn("assertion.py", output.partition("AssertionError")[0][:-2000])

    def test_is_not_loaded_before_it_is_needed(self) -> None:
        done = subprocess.run(
            [sys.executable, "-c", "import tlsdemo.testing.pins.pytest_plugin, sys;"
             "print('twisted.internet.reactor' in sys.modules)"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        self.assertEqual(done.stdout, "False\n")
