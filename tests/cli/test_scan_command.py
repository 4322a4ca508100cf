from __future__ import annotations

import io
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.cli.printed import PrintingCase
from tests.cli.refusals import RefusingCase
from tests.test_architecture import ROOT
from tlsdemo.cli.main import main
from tlsdemo.cli.scan_command import ScanOptions
from tlsdemo.scan.rule_catalogue import RULES


class TheCommand(PrintingCase):
    def setUp(self) -> None:
        super().setUp()
        self.bad = self.folder / "bad.py"
        self.bad.write_text(RULES["unverified-server"].bad)

    def scan(self, *arguments: str) -> tuple[int, str]:
        return self.run_("scan", *arguments)

    def document(self, *arguments: str) -> Any:
        return json.loads(self.scan(*arguments)[1])

    def test_says_where_why_and_the_cure(self) -> None:
        self.bad.write_text(RULES["private-tls-name"].bad)
        status, text = self.scan(str(self.folder))
        first, why, shown, cure = text.splitlines()
        self.assertEqual(status, 1)
        self.assertEqual(
            first,
            f"{self.bad}:1:1: private-tls-name: "
            "twisted.internet._sslverify.ClientTLSOptions is private",
        )
        self.assertIn(RULES["private-tls-name"].why, why)
        self.assertIn("tlsdemo findings name-checked-too-late", shown)
        self.assertIn(RULES["private-tls-name"].cure, cure)

    def test_is_silent_if_nothing_is_found(self) -> None:
        self.bad.write_text(RULES["unverified-server"].good)
        self.assertEqual(self.scan(str(self.folder)), (0, ""))

    def test_a_file_that_is_named_twice_is_reported_once(self) -> None:
        _, text = self.scan(str(self.bad), str(self.bad))
        self.assertEqual(text.count("bad.py"), 1)

    def test_applies_the_rules_that_are_named(self) -> None:
        self.assertEqual(self.scan("--rule=private-tls-name", str(self.folder)), (0, ""))
        self.assertEqual(self.scan("--rule=unverified-server", str(self.folder))[0], 1)

    def test_writes_json(self) -> None:
        document = self.document("--format=json", str(self.folder))
        (hit,) = document["hits"]
        self.assertEqual((hit["line"], hit["rule"]), (5, "unverified-server"))
        self.assertEqual(document["not_read"], [])

    def test_writes_sarif(self) -> None:
        document = self.document("--format=sarif", str(self.folder))
        self.assertEqual(document["version"], "2.1.0")
        self.assertEqual(len(document["runs"][0]["results"]), 1)

    def test_bad_input_is_one_line_and_the_rest_is_scanned(self) -> None:
        (self.folder / "a.py").write_text("print startTLS\n")
        (self.folder / "b.py").write_bytes(b"startTLS\0")
        (self.folder / "c.py").write_bytes(b"-" * 100_000 + b"startTLS")
        self.assertEqual(self.scan(str(self.folder))[0], 1)
        lines = self.errors.getvalue().splitlines()
        self.assertEqual(len(lines), 3)
        for line, name in zip(lines, "abc", strict=True):
            self.assertRegex(line, f"^tlsdemo scan: '.*{name}.py': it ")

    def test_what_is_not_read_is_no_success(self) -> None:
        missing = str(self.folder / "missing")
        self.assertEqual(self.scan(missing), (2, ""))
        self.assertEqual(
            self.errors.getvalue(), f"tlsdemo scan: {missing!r}: no such file or directory\n"
        )
        self.assertEqual(self.scan("--largest=10", str(self.bad))[0], 2)
        self.assertEqual(len(self.document("--format=json", missing)["not_read"]), 1)

    def test_names_of_files_cannot_change_a_terminal(self) -> None:
        self.bad.rename(self.folder / "\033[31m\n.py")
        _, text = self.scan(str(self.folder))
        self.assertNotIn("\033", text)
        self.assertEqual(len(text.splitlines()), 3)
        os.rename(self.folder / "\033[31m\n.py", os.fsencode(self.folder) + b"/\xff.py")
        for each in ("text", "json", "sarif"):
            self.assertEqual(self.scan(f"--format={each}", str(self.folder))[0], 1)

    def test_bad_options_are_refused(self) -> None:
        for arguments, problem in (
            ([], "scan what?"),
            ([""], "a PATH is empty"),
            (["--rule=nonsense", "."], "--rule is 'nonsense'"),
            (["--format=xml", "."], "--format is 'xml', none of"),
            (["--largest=0", "."], "--largest is '0', not between"),
        ):
            refusal = self.refused(partial(ScanOptions().parseOptions, arguments))
            self.assertIn(problem, refusal)


class TheHook(RefusingCase):
    def test_of_pre_commit_runs_the_command(self) -> None:
        (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
        self.assertEqual(hook["language"], "python")
        program, *arguments = hook["entry"].split()
        self.assertEqual(program, "tlsdemo")
        file = Path(self.mktemp())
        file.write_text(RULES["private-tls-name"].bad)
        self.patch(sys, "stdout", io.StringIO())
        self.assertEqual(main([*arguments, str(file)]), 1)
