"""``--against`` and ``--python``, which the commands that compare versions have in common."""

from __future__ import annotations

import getopt
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.compare.candidate_run import run_candidate
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import Builder, installed_requirements
from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder
from tlsdemo.lab.compare.interpreter import Interpreter
from tlsdemo.lab.compare.requirements import Requirement, parse_requirements

WITHIN = 600.0
"""Seconds that a command may take there."""


@dataclass(frozen=True)
class There:
    """What a command gave in an environment with the packages that ``name`` says."""

    name: str
    versions: Mapping[str, str]
    result: Any


class AgainstOptions(Options):
    """A mixin for a command that can do the same with other versions, and tell what differs.

    Of a command whose result is JSON on standard output no more is needed than::

        for there in self.results_there("--format=json", instead_of=("format", "expect")):
            differences = event_differences(here, there.result)

    which runs the command with the arguments that it was given itself, but for ``--against``,
    ``--python`` and the options that are named, and with the new ones.  Without ``--against`` and
    ``--python`` there is none.
    """

    optParameters: ClassVar[list[list[Any]]] = [
        ["python", None, None, "With which Python to compare: a path, or a version such as 3.12. "
         "Alone, with the packages as they are here. [default: this one]"],
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self["against"] = []
        self._given: list[tuple[str, str]] = []
        self._others: list[str] = []

    def opt_against(self, packages: str) -> None:
        """Do the same with other versions, as in 'twisted==24.7.0 pyopenssl==24.2.1'.

        Can be repeated. An environment is built for them once and kept; see tlsdemo versions.
        """
        self["against"].append(packages)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the options, and keep them as they were given."""
        arguments = sys.argv[1:] if options is None else list(options)
        # What cannot be read is refused in a line below.
        with suppress(getopt.GetoptError):
            self._given, self._others = getopt.getopt(arguments, self.shortOpt, self.longOpt)
        super().parseOptions(arguments)

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        for text in self["against"]:
            try:
                parse_requirements(text)
            except ComparisonError as problem:
                raise usage.UsageError(f"--against is {text!r}: {problem}") from None

    def is_given(self, name: str) -> bool:
        """Whether the option of that name, its long one, was on the command line."""
        return any(option == f"--{name}" for option, _ in self._given)

    def without(self, *names: str) -> list[str]:
        """Return the arguments as they were given, but for the options of these long names."""
        left = [(option, value) for option, value in self._given if option[2:] not in names]
        # Twisted's list has an equals sign behind those that take a value.
        options = [
            f"{option}={value}" if f"{option[2:]}=" in self.longOpt else f"{option}{value}"
            for option, value in left
        ]
        return [*options, "--", *self._others] if self._others else options

    def results_there(
        self, *more: str, instead_of: Sequence[str] = (), within: float = WITHIN
    ) -> Iterator[There]:
        """Run this very command in each of the environments, with ``more`` arguments.

        The options named in ``instead_of`` are left out there.  Ends the process with one line if
        an environment cannot be had, or the command gives no result there.
        """
        command = self.command.split()[1:]
        arguments = [*command, *more, *self.without("against", "python", *instead_of)]
        with self.environments() as environments:
            for name, environment in environments.items():
                self.say(f"the same with {name}")
                try:
                    result = run_candidate(environment, arguments, within)
                except ComparisonError as problem:
                    fail(self.command, problem, status=1)
                except KeyboardInterrupt:
                    fail(self.command, "interrupted", status=1)
                yield There(name, environment.versions, result)

    @contextmanager
    def environments(self) -> Iterator[dict[str, Environment]]:
        """Give the environments that are asked for, by what the user calls them; maybe none.

        Builds them if need be, and keeps them from being removed.  Ends the process with one line
        if one cannot be had.
        """
        with ExitStack() as stack:
            try:
                environments = self._provided(stack)
            except KeyboardInterrupt:
                fail(self.command, "interrupted: no environment was built", status=1)
            except OSError as problem:
                fail(self.command, f"no environment: {problem}", status=1)
            yield environments

    def _provided(self, stack: ExitStack) -> dict[str, Environment]:
        if not self["against"] and self["python"] is None:
            return {}
        builder = self.builder()
        try:
            python = builder.interpreter(self["python"])
        except ComparisonError as problem:
            fail(self.command, f"--python is {self['python']!r}: {problem}", status=1)
        return {
            self._name(text, python): stack.enter_context(self._provide(builder, text, python))
            for text in self["against"] or [None]
        }

    @contextmanager
    def _provide(
        self, builder: Builder, text: str | None, python: Interpreter
    ) -> Iterator[Environment]:
        asked: list[Requirement] = (
            installed_requirements() if text is None else parse_requirements(text)
        )
        with ExitStack() as stack:
            try:
                environment = stack.enter_context(builder.provide(asked, python))
            except ComparisonError as problem:
                option = f"--python is {self['python']!r}" if text is None else (
                    f"--against is {text!r}"
                )  # fmt: skip
                fail(self.command, f"{option}: {problem}", status=1)
            yield environment

    def _name(self, text: str | None, python: Interpreter) -> str:
        words = [] if text is None else [text]
        return ", ".join([*words, *([f"Python {python.version}"] if self["python"] else [])])

    def builder(self) -> Builder:
        """Return what builds environments, in the user's cache."""
        return Builder.of_the_user(Cache(default_folder()), self.say)

    def say(self, text: str) -> None:
        """Write a line of progress, where no result is written to."""
        sys.stderr.write(f"{self.command}: {text}\n")
        sys.stderr.flush()
