"""What the command lines have in common: checked values, aliases, and errors of one line."""

from __future__ import annotations

import getopt
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

from twisted.python import usage
from twisted.python.reflect import accumulateClassList

import tlsdemo
from tlsdemo.cli.standard_output import show
from tlsdemo.cli.suggestions import did_you_mean, knowing, known_to, one_of
from tlsdemo.reporting.terminal import write_line

_E = TypeVar("_E", bound=Enum)

_HYPHEN = "\N{NON-BREAKING HYPHEN}"

_UNKNOWN = re.compile(
    r"Unknown command: (?P<command>.*)"
    r"|option --(?P<prefix>.*) not a unique prefix"
    r"|option --(?P<option>.*) not recognized",
    re.DOTALL,
)
"""What Twisted and getopt say of a word that they do not know."""


def fail(command: str, problem: object, status: int = 2) -> NoReturn:
    """End the process with ``status``, after one line on standard error."""
    write_line(sys.stderr, f"{command}: {problem}")
    raise SystemExit(status)


def whole(least: int, most: int = 1 << 40) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``least`` to ``most``."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("not a whole number") from None
        if not least <= number <= most:
            raise ValueError(f"not between {least:,} and {most:,}")
        return number

    return parse


def seconds(least: float, most: float = 1e6) -> Callable[[str], float]:
    """Return a parser of seconds, with optional decimals, from ``least`` to ``most``."""

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError("not a number of seconds") from None
        if not least <= number <= most:
            raise ValueError(f"not between {least:g} and {most:,.0f} seconds")
        return number

    return parse


def choice(names: type[_E]) -> Callable[[str], _E]:
    """Return a parser of the values of an enum."""
    values = [str(each.value) for each in names]
    parse = one_of(values)

    @knowing(values)
    def parse_choice(text: str) -> _E:
        return names(parse(text))

    return parse_choice


def named(parameters: list[list[Any]]) -> list[list[Any]]:
    """Return ``parameters`` with parsers whose errors name the option, which Twisted's do not."""
    return [each if len(each) < 5 else [*each[:4], _named(each[0], each[4])] for each in parameters]


def _named(name: str, parse: Callable[[str], object]) -> Callable[[str], object]:
    @wraps(parse)
    def parse_named(text: str) -> object:
        try:
            return parse(text)
        except ValueError as problem:
            raise ValueError(f"--{name} is {text!r}, {problem}") from None

    return parse_named


def check_output_file(option: str, path: str | None) -> None:
    """Raise UsageError if ``path``, the value of ``option``, cannot be a file to write to."""
    if path is None:
        return
    file = Path(path).absolute()
    problem = ""
    if not file.parent.is_dir():
        problem = "and that folder does not exist"
    elif file.is_dir():
        problem = "which is a folder; name a file"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        problem = "which you may not write to"
    if problem:
        raise usage.UsageError(f"--{option} is {path!r}, {problem}")


def check_output_files(options: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise UsageError if the values of these options cannot be files, each of its own."""
    named: dict[Path, str] = {}
    for name in names:
        path: str | None = options[name]
        check_output_file(name, path)
        if path is not None:
            other = named.setdefault(Path(path).absolute(), name)
            # A device, such as /dev/null, takes both.
            if other != name and (Path(path).is_file() or not Path(path).exists()):
                raise usage.UsageError(f"--{name} is {path!r}, which is --{other} as well")


def help_width() -> int:
    """Return the columns for a help: those of the environment or the terminal, at least 40."""
    return max(40, shutil.get_terminal_size().columns)


class Options(usage.Options):
    """Options whose errors are one line that names the option and the value.

    ``aliases`` maps former names of options to their current names.  They are accepted, but the
    help shows the current names only.
    """

    command: ClassVar[str] = "tlsdemo"

    aliases: ClassVar[Mapping[str, str]] = {}

    compData: ClassVar[usage.Completions] = usage.Completions()

    known_values: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The names that an option takes which has a method; of others, the parser knows them."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Have Twisted complete the names that options take, in zsh."""
        super().__init_subclass__(**arguments)
        actions = {name: usage.CompleteList(names) for name, names in cls.values_of().items()}
        cls.compData = usage.Completions(optActions=actions)

    def __init__(self) -> None:
        super().__init__()
        self._given: list[tuple[str, str]] = []
        self._names: list[str] = []
        # The help of a method is its docstring, with the line breaks and indentation of the source.
        self.docs = {name: " ".join((doc or "").split()) for name, doc in self.docs.items()}
        for alias, name in self.aliases.items():
            self.longOpt.append(f"{alias}=" if f"{name}=" in self.longOpt else alias)
            self.synonyms[alias] = name

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the options, which may also follow the names; ``--`` ends them.

        Ends the process with status 2 if they are invalid.
        """
        arguments = list(sys.argv[1:] if options is None else options)
        if arguments[-2:-1] == ["--_shell-completion"]:
            # Of zsh: the command line is unfinished, and Twisted looks at the names only.
            super().parseOptions(arguments)
        try:
            super().parseOptions(self._in_order(arguments))
        except (usage.UsageError, getopt.GetoptError) as problem:
            text = str(problem).removeprefix("Parameter type enforcement failed: ")
            fail(
                self.command,
                f"{self.located(text)}{self._cure(text)} (try: {self.command} --help)",
            )

    def _in_order(self, arguments: list[str]) -> list[str]:
        """Return the arguments with the options first; what follows a subcommand belongs to it."""
        if getattr(self, "subCommands", None):
            return arguments
        given, self._names = getopt.gnu_getopt(arguments, self.shortOpt, self.longOpt)
        self._given = self._completed(given)
        return self.arguments_without()

    def _completed(self, given: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the options given, with what is given elsewhere than on the command line."""
        return given

    def located(self, problem: str) -> str:
        """Return a problem with the place of the option that it is about, if it has another."""
        return problem

    def _cure(self, problem: str) -> str:
        """Return what may have been meant by an unknown option or command, or nothing."""
        found = _UNKNOWN.fullmatch(problem)
        if found is None:
            return ""
        if found["command"] is not None:
            subcommands = getattr(self, "subCommands", ())
            return did_you_mean(found["command"], [each[0] for each in subcommands])
        names = [name.rstrip("=") for name in self.longOpt]
        if found["prefix"] is not None:
            begun = [f"--{name}" for name in names if name.startswith(found["prefix"])]
            return f"; it begins {', '.join(begun)}"
        current = [name for name in names if name not in self.aliases]
        return did_you_mean(found["option"], current, prefix="--")

    def given(self) -> Iterator[tuple[str, str]]:
        """Yield the options on the command line by their long names, with their values."""
        for option, value in self._given:
            name = option.lstrip("-")
            yield self.synonyms.get(name, name), value

    def is_given(self, name: str) -> bool:
        """Return whether the option with this long name was on the command line."""
        return any(option == name for option, _ in self.given())

    def arguments_without(self, *names: str) -> list[str]:
        """Return the command line, except the options with these long names; names come last."""
        options = [
            # Twisted marks the options that take a value with an equals sign.
            f"--{name}={value}" if f"{name}=" in self.longOpt else f"--{name}"
            for name, value in self.given()
            if name not in names
        ]
        return [*options, "--", *self._names] if self._names else options

    def getSynopsis(self) -> str:
        """Return the synopsis; Twisted's would repeat that of the parent command."""
        own = str(getattr(self, "synopsis", ""))
        return own if own.startswith("Usage:") else str(super().getSynopsis())

    def getUsage(self, width: int | None = None) -> str:
        """Return the help, without the aliases, and with no line break in a word with a hyphen."""
        accepted, docs = self.longOpt, self.docs
        self.longOpt = [each for each in accepted if each.rstrip("=") not in self.aliases]
        self.docs = {name: doc.replace("-", _HYPHEN) for name, doc in docs.items()}
        try:
            return str(super().getUsage(width or help_width())).replace(_HYPHEN, "-")
        finally:
            self.longOpt, self.docs = accepted, docs

    def described(self, name: str) -> str:
        """Return the help of an option, with its default."""
        doc, default = str(self.docs[name]), self.defaults.get(name)
        shows = default is not None and f"{name}=" in self.longOpt
        return f"{doc} [default: {default}]" if shows else doc

    @classmethod
    def values_of(cls) -> dict[str, tuple[str, ...]]:
        """Return the names that the options take, by option, as far as they are known."""
        parameters: list[list[Any]] = []
        accumulateClassList(cls, "optParameters", parameters)
        parsers = {each[0]: each[4] for each in parameters if len(each) > 4}
        known = {name: known_to(parse) for name, parse in parsers.items()}
        return {**{name: names for name, names in known.items() if names}, **cls.known_values}

    def parseArgs(self, *arguments: str) -> None:
        """Refuse arguments that are not options."""
        if arguments:
            raise usage.UsageError(f"{arguments[0]!r} is not understood: it is not an option")

    def opt_version(self) -> None:
        """Show the version of tlsdemo and exit."""
        show(self.command, tlsdemo.__version__)

    def opt_help(self) -> None:
        """Show this help and exit."""
        show(self.command, str(self))

    opt_h = opt_help
