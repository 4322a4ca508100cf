"""``--against`` and ``--python``, for the commands that compare versions."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

from twisted.python import usage

from tlsdemo.cli.interruption import ENDING, interrupted_by
from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.compare.candidate_run import run_candidate
from tlsdemo.lab.compare.checkout import is_checkout, requirement_of
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import (
    BUILD_TIMEOUT,
    Builder,
    installed_requirements,
)
from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder
from tlsdemo.lab.compare.interpreter import Interpreter
from tlsdemo.lab.compare.requirements import Requirement, check_supported, parse_requirements
from tlsdemo.lab.compare.source_tree import dependencies
from tlsdemo.reporting.progress import Progress, standard_error

TIMEOUT = 600.0
"""Seconds that a command may take in a candidate environment."""

BUILD_BOUND = f"Each step of building an environment takes at most {BUILD_TIMEOUT / 60:g} minutes"

BOUNDS = f"{BUILD_BOUND}, and the command in it {TIMEOUT / 60:g} minutes."
"""For the help of a command that is repeated in other environments."""


EXIT_CODE = [
    "exit-code", None, "With --against or --python: exit with 1 if something differs, with 0 if "
    "not, and with 2 after an error.",
]  # fmt: skip
"""The flag of commands that can say by their exit status whether something differs."""


@dataclass(frozen=True)
class Candidate:
    """The result of a command in another environment, which ``name`` identifies for the user."""

    name: str
    versions: Mapping[str, str]
    result: Any


class ComparisonOptions(Options):
    """A mixin for a command that can be repeated with other versions, to compare the results.

    The baseline is the result in this process; each ``--against`` and ``--python`` adds candidates.
    For a command that writes its result as JSON to standard output this is enough::

        for candidate in self.candidates("--format=json", without=("format", "expect")):
            differences = event_differences(baseline, candidate.result)

    It runs the same command with the same arguments, except ``--against``, ``--python`` and the
    options in ``without``, and with the additional arguments.
    """

    optParameters: ClassVar[list[list[Any]]] = [
        ["python", None, None, "Compare with another Python: a path, or a version such as 3.12. "
         "Without --against, it has the same packages as this one. [default: this one]"],
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self["against"] = []

    def opt_against(self, packages: str) -> None:
        """Compare with other versions, such as 'twisted==24.7.0 pyopenssl==24.2.1'.

        A folder is the package in it, and ./twisted@trunk a branch or commit of it. Can be
        repeated. The environment for them is built once and kept; see tlsdemo versions.
        """
        self["against"].append(packages)

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        for text in self["against"]:
            try:
                check_supported(_requirements(text), dependencies())
            except ComparisonError as problem:
                raise usage.UsageError(f"--against is {text!r}: {problem}") from None
        if self["python"] is not None:
            try:
                self.builder().interpreter(self["python"])
            except ComparisonError as problem:
                raise usage.UsageError(f"--python is {self['python']!r}: {problem}") from None
        if self.get("exit-code") and not self.compares:
            raise usage.UsageError("--exit-code needs --against or --python")

    @property
    def compares(self) -> bool:
        """Whether there are other versions to compare with."""
        return bool(self["against"]) or self["python"] is not None

    @property
    def error_status(self) -> int:
        """The exit status after a problem: not 1 if that says that something differs."""
        return 2 if self.get("exit-code") else 1

    def give_up(self, problem: object) -> NoReturn:
        """End the process with one line."""
        fail(self.command, problem, status=self.error_status)

    def candidates(
        self, *more: str, without: Sequence[str] = (), timeout: float = TIMEOUT
    ) -> Iterator[Candidate]:
        """Run this command in each of the other environments, with ``more`` arguments.

        The options named in ``without`` are left out.  Ends the process with one line if an
        environment cannot be built, or if the command has no result in it.
        """
        command = self.command.split()[1:]
        arguments = [*command, *more, *self.arguments_without("against", "python", *without)]
        with self.environments() as environments:
            for name, environment in environments.items():
                self.report(f"running with {name}")
                try:
                    result = run_candidate(environment, arguments, timeout)
                except ComparisonError as problem:
                    self.give_up(problem)
                except KeyboardInterrupt:
                    self.give_up("interrupted")
                yield Candidate(name, environment.versions, result)

    @contextmanager
    def environments(self) -> Iterator[dict[str, Environment]]:
        """Provide the other environments by name; none without ``--against`` and ``--python``.

        Builds them if necessary, and locks them against removal.  Ends the process with one line
        if one cannot be built.
        """
        # The reactor of the command has replaced the handlers, and does not restore them.
        with interrupted_by(signal.SIGINT, *ENDING), ExitStack() as stack:
            try:
                environments = self._provided(stack)
            except KeyboardInterrupt:
                fail(
                    self.command, "interrupted: no environment was built", status=self.error_status
                )
            except OSError as problem:
                what = f"{problem.filename}: {problem.strerror}" if problem.filename else problem
                self.give_up(f"no environment: {what}")
            yield environments

    def _provided(self, stack: ExitStack) -> dict[str, Environment]:
        if not self.compares:
            return {}
        builder = self.builder()
        try:
            python = builder.interpreter(self["python"])
        except ComparisonError as problem:
            fail(
                self.command, f"--python is {self['python']!r}: {problem}", status=self.error_status
            )
        return {
            self._name(text, python): stack.enter_context(self._provide(builder, text, python))
            for text in self["against"] or [None]
        }

    @contextmanager
    def _provide(
        self, builder: Builder, text: str | None, python: Interpreter
    ) -> Iterator[Environment]:
        requirements: list[Requirement] = (
            installed_requirements() if text is None else _requirements(text)
        )
        with ExitStack() as stack:
            try:
                environment = stack.enter_context(builder.provide(requirements, python))
            except ComparisonError as problem:
                name, value = ("python", self["python"]) if text is None else ("against", text)
                self.give_up(f"--{name} is {value!r}: {problem}")
            yield environment

    def _name(self, text: str | None, python: Interpreter) -> str:
        parts = [] if text is None else [text]
        return ", ".join([*parts, *([f"Python {python.version}"] if self["python"] else [])])

    def builder(self) -> Builder:
        """Return the builder of environments in the user's cache."""
        return Builder.of_the_user(Cache(default_folder()), self.report)

    def report(self, text: str) -> None:
        """Write a line of progress to standard error."""
        Progress(standard_error(), self.command).say(text)


def _requirements(text: str) -> list[Requirement]:
    """Return the requirements in ``text``, with those of folders; raises ComparisonError."""
    archives = default_folder().parent / "checkouts"
    parts = (requirement_of(each, archives) if is_checkout(each) else each for each in text.split())
    return parse_requirements(" ".join(parts))
