"""The programs that are cut out of the findings: complete, and without tlsdemo."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings.finding_catalogue import FINDINGS, THEMES
from tlsdemo.lab.findings.self_contained import SelfContained
from tlsdemo.lab.findings.standalone import standalone_program, standalone_tests
from tlsdemo.tls import versions

NAMES = ("secure-mark-before-handshake", "maximum-version-excluded", "start-tls-twice")
THREE = {"Some": [FINDINGS[name] for name in NAMES]}


def run(directory: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", *arguments],
        cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


def undefined(source: str) -> set[str]:
    """The names that a module uses, and neither defines nor imports anywhere."""
    used: set[str] = set()
    known = set(dir(builtins)) | {"__name__"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else known).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.alias):
            known.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            known.add(node.name)
    return used - known


def modules(source: str) -> set[str]:
    """The packages that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Import):
            found.update(each.name.partition(".")[0] for each in node.names)
    return found


class TrialModule(SynchronousTestCase):
    def test_it_is_complete_and_does_not_import_tlsdemo(self) -> None:
        source = standalone_tests(THEMES, "test_all")
        self.assertEqual(undefined(source), set())
        foreign = modules(source) - set(sys.stdlib_module_names)
        self.assertEqual(foreign, {"OpenSSL", "cryptography", "twisted", "zope"})

    def test_every_finding_is_a_test(self) -> None:
        source = standalone_tests(THEMES, "test_all")
        for name in FINDINGS:
            self.assertIn(f"    def test_{name.replace('-', '_')}(self)", source)

    def test_what_still_holds_is_an_expected_failure_and_the_rest_succeeds(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "test_some.py").write_text(standalone_tests(THREE, "test_some"))
        status, output = run(str(directory), "-m", "twisted.trial", "test_some")
        verdicts = [FINDINGS[each].affected.verdict(versions()).value for each in NAMES]
        holding = verdicts.count("still so")
        expected = f"expectedFailures={holding}"
        if holding < len(NAMES):
            expected += f", successes={len(NAMES) - holding}"
        self.assertIn(f"PASSED ({expected})", output)
        self.assertEqual(status, 0, output)


class Program(SynchronousTestCase):
    def test_each_is_complete_and_ends_with_what_is_particular_to_its_finding(self) -> None:
        for finding in FINDINGS.values():
            steps, program = standalone_program(finding)
            self.assertEqual(undefined(program), set(), finding.name)
            self.assertNotIn("tlsdemo", modules(program))
            self.assertIn(f"async def {finding.reproduce.__name__}(", steps)
            self.assertIn(steps, program)

    def test_it_says_what_it_observes(self) -> None:
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "twice.py").write_text(standalone_program(FINDINGS["start-tls-twice"])[1])
        status, output = run(str(directory), "twice.py")
        self.assertIn("exceptions of two calls of startTLS: none\n", output)
        self.assertTrue(output.endswith("=> still so\n"), output)
        self.assertEqual(status, 0)


class Selection(SynchronousTestCase):
    peer = ("tlsdemo.lab.findings.stdlib_peer", "StdlibPeer")

    def test_a_method_that_nobody_mentions_is_left_out(self) -> None:
        self.assertNotIn("def close_tls", SelfContained([self.peer], {}).text)
        self.assertIn("def close_tls", SelfContained([self.peer], {}, ["close_tls"]).text)

    def test_what_twisted_calls_stays(self) -> None:
        self.assertIn("def connectionLost", SelfContained([self.peer], {}).text)

    def test_docstrings_can_be_left_out(self) -> None:
        text, docstring = SelfContained([self.peer], {}, bare=True).text, '"""Record the bytes'
        self.assertIn(docstring, SelfContained([self.peer], {}).text)
        self.assertNotIn(docstring, text)
        # Where there is nothing else, it stays.
        self.assertIn('def do_nothing(*_: object) -> None:\n    """Do nothing."""', text)

    def test_the_same_name_in_two_modules_is_told_apart(self) -> None:
        names = [(f"tlsdemo.lab.findings.{each}", "_TIMEOUT") for each in ("delivery", "finding")]
        code = SelfContained(names, {})
        self.assertEqual([code.name_of(each) for each in names], ["_TIMEOUT", "_TIMEOUT_finding"])
        self.assertIn("_TIMEOUT = 8.0", code.text)
        self.assertIn("_TIMEOUT_finding = 6.0", code.text)

    def test_the_imports_are_sorted_and_grouped(self) -> None:
        support = ("tlsdemo.lab.findings.standalone_support", "versions")
        numbers = ("tlsdemo.lab.findings.finding", "_numbers")
        self.assertEqual(
            SelfContained([support, numbers], {}).imports,
            "import re\n\nimport OpenSSL\nimport twisted\nfrom OpenSSL import SSL",
        )

    def test_a_name_can_be_taken_from_elsewhere(self) -> None:
        elsewhere = ("tlsdemo.lab.findings.standalone_support", "Credentials")
        code = SelfContained([("tlsdemo.lab.findings.testbed", "Testbed")], {
            ("tlsdemo.certificates.files", "Credentials"): elsewhere,
            ("tlsdemo.certificates.demo_ca", "DemoCertificates"): elsewhere,
        })  # fmt: skip
        self.assertIn("The files of one end", code.text)
        self.assertNotIn("trustme", code.imports)
