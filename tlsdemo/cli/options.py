"""What the command lines have in common: checked values, aliases, and errors of one line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, NoReturn, TypeVar

from twisted.internet import endpoints
from twisted.internet.interfaces import IReactorCore
from twisted.python import usage

import tlsdemo
from tlsdemo.cli.standard_output import show
from tlsdemo.reporting.terminal import write_line

_E = TypeVar("_E", bound=Enum)

_HYPHEN = "\N{NON-BREAKING HYPHEN}"


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

    def parse(text: str) -> _E:
        try:
            return names(text)
        except ValueError:
            known = ", ".join(str(each.value) for each in names)
            raise ValueError(f"none of {known}") from None

    return parse


def named(parameters: list[list[Any]]) -> list[list[Any]]:
    """Return ``parameters`` with parsers whose errors name the option, which Twisted's do not."""
    return [each if len(each) < 5 else [*each[:4], _named(each[0], each[4])] for each in parameters]


def _named(name: str, parse: Callable[[str], object]) -> Callable[[str], object]:
    def parse_named(text: str) -> object:
        try:
            return parse(text)
        except ValueError as problem:
            raise ValueError(f"--{name} is {text!r}, {problem}") from None

    return parse_named


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

    def __init__(self) -> None:
        super().__init__()
        # The help of a method is its docstring, with the line breaks and indentation of the source.
        self.docs = {name: " ".join((doc or "").split()) for name, doc in self.docs.items()}
        for alias, name in self.aliases.items():
            self.longOpt.append(f"{alias}=" if f"{name}=" in self.longOpt else alias)
            self.synonyms[alias] = name

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the options; ends the process with status 2 if they are invalid."""
        try:
            super().parseOptions(options)
        except usage.UsageError as problem:
            text = str(problem).removeprefix("Parameter type enforcement failed: ")
            fail(self.command, f"{text} (try: {self.command} --help)")

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


def check_server_endpoint(reactor: IReactorCore, option: str, where: str, prefix: str = "") -> None:
    """Raise UsageError with the reason if ``where`` is not a server endpoint string.

    ``prefix``: what may stand before it.
    """
    example = "tcp:8899:interface=127.0.0.1"
    _check(endpoints.serverFromString, reactor, option, where, example, prefix)


def check_client_endpoint(reactor: IReactorCore, option: str, where: str) -> None:
    """Raise UsageError with the reason if ``where`` is not a client endpoint string."""
    _check(endpoints.clientFromString, reactor, option, where, "tcp:127.0.0.1:8899")


def _check(
    parse: Any, reactor: object, option: str, where: str, example: str, prefix: str = ""
) -> None:
    try:
        parse(reactor, where.removeprefix(prefix))
    except Exception as problem:
        # Endpoint parsers are plugins, which may raise anything for an invalid string.
        raise usage.UsageError(
            f"--{option} is {where!r}, not an endpoint string such as {example} ({problem})"
        ) from None
