"""A fake for Python, venv, pip and uv, which records the commands, and a case that uses it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.environment_builder import Builder
from tlsdemo.lab.compare.environment_cache import Cache
from tlsdemo.lab.compare.interpreter import Interpreter
from tlsdemo.lab.compare.tool import Done

PYTHON = Interpreter("/usr/bin/python3.12", "3.12.1", "linux-x86_64", "/usr")
VERSIONS = {"Python": "3.12.1", "Twisted": "24.7.0"}


class FakeTool:
    """Creates what venv creates, and succeeds; ``failures`` replaces the commands with a word."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.constraints: list[str | None] = []
        self.failures: dict[str, Callable[[list[str]], Done]] = {}
        self.variables: Mapping[str, str] = {}

    def __call__(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
        command = list(arguments)
        self.commands.append(command)
        self.variables = variables
        if "install" in command:
            named = command[command.index("-c") + 1] if "-c" in command else None
            self.constraints.append(named and Path(named).read_text())
        for word, failure in self.failures.items():
            if word in command:
                return failure(command)
        if "venv" in command:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir(parents=True)
            python.write_text("#!")
        if command[1] == "-c":
            return Done(0, f"a warning\n{json.dumps(VERSIONS)}\n")
        return Done(0, "")

    def commands_with(self, word: str) -> list[list[str]]:
        return [command for command in self.commands if word in command]


class BuilderCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(os, "environ", {**os.environ, "PYTHONPATH": "/mine", "PIP_TARGET": "/mine"})
        self.folder = Path(self.mktemp()).absolute()
        self.cache = Cache(self.folder)
        self.tool = FakeTool()
        self.reported: list[str] = []
        self.now = 7.0

    def builder(self, uv: str | None = None) -> Builder:
        return Builder(
            self.cache, self.reported.append, tool=self.tool, uv=uv, now=lambda: self.now
        )
