"""Every command line in the documentation is one that our commands understand."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage
from twisted.scripts.twistd import (  # type: ignore[attr-defined, unused-ignore]
    ServerOptions as TwistdOptions,
)
from twisted.trial.unittest import SynchronousTestCase

from tests.test_architecture import ROOT
from tlsdemo import tap, tap_client
from tlsdemo.cli.main import Command

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*/README.md")),
]
UNMARKED = ("", "sh")
"""The languages of blocks that have shell in them, in this documentation."""

EXAMPLES = {"HOST:PORT": "mail.example:25"}
"""What stands for something of the reader's own, and something that it may be."""

MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""A time, which has passed when somebody reads it."""

NO_SUCH_FILE = re.compile(r"No such file or directory|there is no folder")


class Twistd(TwistdOptions):  # type: ignore[misc, unused-ignore]
    """twistd with our plugins only, as to look for others takes time."""

    subCommands: ClassVar[Any] = [
        ("tlsdemo", None, tap.Options, ""),
        ("tlsclient", None, tap_client.Options, ""),
    ]


def in_blocks(page: str) -> Iterator[str]:
    """The lines of shell in the blocks of a page; those that are continued as one."""
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page, re.M | re.S):
        if language in UNMARKED:
            yield from re.sub(r"\\\n\s*", "", block).splitlines()


def in_text(page: str) -> Iterator[str]:
    """The code in the text of a page."""
    text = re.sub(r"^ *```.*?^ *```$", "", page, flags=re.M | re.S)
    yield from (" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", text))


def commands(line: str) -> Iterator[list[str]]:
    """The arguments of each of our commands in a line of shell, from its name on."""
    lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return  # Not shell, but what a command has printed.
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in ("&&", "||", "|", ";", "&"):
            command.append(word)
        elif command:
            yield from ours(command)
            command = []


def ours(command: list[str]) -> Iterator[list[str]]:
    """A command without redirections, if it is one of ours."""
    redirection = next((at for at, word in enumerate(command) if word in (">", ">>", "<")), None)
    if command[1:3] == ["-m", "tlsdemo"]:
        command = command[2:]
    name, *arguments = command[:redirection]
    name = name.removeprefix("/opt/tlsdemo/bin/")
    if name == "tlsdemo" or (name == "twistd" and {"tlsdemo", "tlsclient"} & {*arguments}):
        yield [name, *arguments]


def options_of(command: list[str]) -> tuple[str, set[str]]:
    """The name of a subcommand that is named, and the options that it has."""
    parent = Command() if command[0] == "tlsdemo" else Twistd()
    subcommands = {name: make for name, _, make, _ in parent.subCommands}
    named = next((word for word in command[1:] if not word.startswith("-")), "")
    every = [parent, *([subcommands[named]()] if named in subcommands else [])]
    return ("" if named in subcommands or not named else named), {
        f"--{name.rstrip('=')}" for each in every for name in each.longOpt
    }


class TheDocumentation(SynchronousTestCase):
    def said_of(self, command: list[str]) -> str:
        """What a command says of its arguments, if it does not understand them."""
        options: usage.Options = Command() if command[0] == "tlsdemo" else Twistd()
        error = io.StringIO()
        self.patch(sys, "stderr", error)
        self.patch(sys, "stdout", io.StringIO())
        try:
            options.parseOptions(command[1:])
        except SystemExit as ended:
            return error.getvalue() if ended.code else ""
        except usage.UsageError as problem:
            return str(problem)
        return ""

    def test_has_command_lines_that_are_understood(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        soon = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        seen, wrong = 0, []
        for page in PAGES:
            for line in in_blocks(page.read_text(encoding="utf-8")):
                for example, real in EXAMPLES.items():
                    line = line.replace(example, real)
                for command in commands(MOMENT.sub(soon, line)):
                    seen += 1
                    said = self.said_of(command)
                    if said and not NO_SUCH_FILE.search(said):
                        wrong.append(f"{page.relative_to(ROOT)}: {line}\n    {said.strip()}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 50)

    def test_mentions_commands_and_options_that_exist(self) -> None:
        seen, wrong = 0, []
        for page in PAGES:
            for code in in_text(page.read_text(encoding="utf-8")):
                for command in commands(code):
                    unknown, known = options_of(command)
                    named = {word.partition("=")[0] for word in command if word.startswith("--")}
                    seen += 1
                    if unknown or named - known:
                        wrong.append(f"{page.relative_to(ROOT)}: {code}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 100)

    def test_names_targets_of_make_that_exist(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
        wrong = []
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            for line in (*in_blocks(text), *in_text(text)):
                for named in re.findall(r"^make ((?:[a-z-]+ ?)+) *(?=$|[A-Z#])", line.strip()):
                    if unknown := set(named.split()) - targets:
                        wrong.append(f"{page.relative_to(ROOT)}: make {' '.join(unknown)}")
        self.assertEqual(wrong, [])
