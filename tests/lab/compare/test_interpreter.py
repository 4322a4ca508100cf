from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.interpreter import Interpreter, find_interpreter
from tlsdemo.lab.compare.tool import Done, execute


class FindInterpreter(SynchronousTestCase):
    def setUp(self) -> None:
        self.queried: list[str] = []
        self.answer = Done(0, '["3.12.1", "linux-x86_64", "/usr"]\n')

    def tool(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
        self.queried.append(arguments[0])
        return self.answer

    def find(self, name: str | None) -> Interpreter:
        return find_interpreter(name, (3, 10), self.tool, {})

    def problem(self, name: str) -> str:
        return str(self.assertRaises(ComparisonError, self.find, name))

    def program(self, name: str) -> Path:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        program = folder / name
        program.write_text("#!")
        program.chmod(0o755)
        self.patch(os, "environ", {"PATH": str(folder)})
        return program

    def test_the_default_is_the_running_python(self) -> None:
        self.assertEqual(self.find(None).path, sys.executable)

    def test_a_path_is_accepted(self) -> None:
        program = self.program("mine")
        expected = Interpreter(str(program), "3.12.1", "linux-x86_64", "/usr")
        self.assertEqual(self.find(str(program)), expected)

    def test_a_version_or_a_name_is_searched_on_the_path(self) -> None:
        program = self.program("python3.12")
        self.assertEqual(self.find("3.12").path, str(program))
        self.assertEqual(self.find("python3.12").path, str(program))

    def test_a_missing_python_is_reported(self) -> None:
        self.program("python3.12")
        self.assertEqual(self.problem("3.13"), "there is no program python3.13")
        self.assertEqual(self.problem("/no/python"), "there is no program /no/python")
        self.assertEqual(self.queried, [])

    def test_a_python_that_is_too_old_is_reported(self) -> None:
        name = str(self.program("old"))
        for version in ("2.7.18", "3.9.18"):
            self.answer = Done(0, f'["{version}", "linux-x86_64", "/usr"]\n')
            self.assertEqual(
                self.problem(name), f"that is Python {version}, and tlsdemo needs 3.10 or newer"
            )

    def test_a_program_that_is_not_a_python_is_reported_with_its_first_line_of_output(self) -> None:
        name = str(self.program("other"))
        self.answer = Done(127, "pyenv: python3.9: command not found\n\nTry another.\n")
        self.assertEqual(
            self.problem(name),
            "that is not a working Python: pyenv: python3.9: command not found",
        )

    def test_so_is_one_whose_output_means_something_else(self) -> None:
        name = str(self.program("other"))
        for line in ("5", "[1, 2, 3]", "[" * 100_000):
            self.answer = Done(0, f"{line}\n")
            self.assertIn("that is not a working Python: ", self.problem(name))

    def test_a_real_python_is_recognized(self) -> None:
        tool = partial(execute, timeout=60.0)
        found = find_interpreter(sys.executable, (3, 0), tool, os.environ)
        self.assertEqual(found.version, platform.python_version())
        self.assertEqual(found.prefix, sys.base_prefix)
