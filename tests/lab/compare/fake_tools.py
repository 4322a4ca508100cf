"""A stand-in for Python, venv, pip and uv: it does what they leave, and remembers the commands."""

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
    """Answers as all goes well, unless there is something to ``go_wrong`` with that word."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.constraints: list[str | None] = []
        self.go_wrong: dict[str, Callable[[list[str]], Done]] = {}

    def __call__(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
        command = list(arguments)
        self.commands.append(command)
        if "install" in command:
            named = command[command.index("-c") + 1] if "-c" in command else None
            self.constraints.append(named and Path(named).read_text())
        for word, wrong in self.go_wrong.items():
            if word in command:
                return wrong(command)
        if "venv" in command:
            python = Path(command[-1], "bin", "python")
            python.parent.mkdir(parents=True)
            python.write_text("#!")
        if command[1] == "-c":
            return Done(0, f"a warning\n{json.dumps(VERSIONS)}\n")
        return Done(0, "")

    def which(self, word: str) -> list[list[str]]:
        return [command for command in self.commands if word in command]


class BuildingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(os, "environ", {**os.environ, "PYTHONPATH": "/mine", "PIP_TARGET": "/mine"})
        self.folder = Path(self.mktemp()).absolute()
        self.cache = Cache(self.folder)
        self.tool = FakeTool()
        self.said: list[str] = []

    def builder(self, uv: str | None = None) -> Builder:
        return Builder(self.cache, self.said.append, tool=self.tool, uv=uv, now=lambda: 7.0)
