from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from tests.cli.refusals import RefusingCase
from tlsdemo.cli import comparison_options
from tlsdemo.cli.comparison_options import Candidate, ComparisonOptions
from tlsdemo.cli.options import Options
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.interpreter import Interpreter
from tlsdemo.lab.compare.requirements import Requirement

PYTHON = Interpreter("/usr/bin/python3.12", "3.12.1", "linux-x86_64", "/usr")


class Sample(ComparisonOptions, Options):
    """A command like ``tlsdemo events``."""

    command = "tlsdemo sample"

    optParameters: ClassVar[list[list[Any]]] = [
        ["format", None, "text", "How it is written."],
        ["mode", "m", None, "Which mode."],
    ]
    optFlags: ClassVar[list[list[str | None]]] = [["all", "a", "All of them."]]

    aliases: ClassVar[Mapping[str, str]] = {"layout": "format", "every": "all"}

    def parseArgs(self, *names: str) -> None:
        self["names"] = names


class FakeBuilder:
    """Provides an environment for any requirements, unless it has a ``problem``."""

    def __init__(self) -> None:
        self.problem: BaseException | None = None
        self.no_python: ComparisonError | None = None
        self.asked: list[list[str]] = []
        self.in_use = 0

    def interpreter(self, name: str | None) -> Interpreter:
        if self.no_python is not None:
            raise self.no_python
        return PYTHON

    @contextmanager
    def provide(self, asked: Sequence[Requirement], python: Interpreter) -> Iterator[Environment]:
        if self.problem is not None:
            raise self.problem
        self.asked.append([each.text for each in asked])
        self.in_use += 1
        yield Environment(Path(f"/cache/{len(self.asked)}"), versions={"Twisted": "1"})
        self.in_use -= 1


class ComparisonCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.builder = FakeBuilder()
        self.patch(ComparisonOptions, "builder", lambda _: self.builder)
        self.runs: list[tuple[str, list[str]]] = []
        self.patch(comparison_options, "run_candidate", self.run_candidate)
        # The versions that are asked for in these tests are older than any that is supported.
        self.patch(comparison_options, "dependencies", lambda: self.dependencies)
        self.dependencies: list[Requirement] = []
        self.result: Any = {"cells": []}
        self.on_run: Callable[[], object] = lambda: None

    def run_candidate(
        self, environment: Environment, arguments: Sequence[str], timeout: float
    ) -> Any:
        self.assertEqual(self.builder.in_use, len(self.builder.asked))
        self.runs.append((environment.key, list(arguments)))
        self.on_run()
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def sample(self, *arguments: str) -> Sample:
        options = Sample()
        options.parseOptions(list(arguments))
        return options

    def candidates(self, *arguments: str) -> list[Candidate]:
        found = self.sample(*arguments).candidates("--format=json", without=["format"])
        return list(found)


class TheArguments(ComparisonCase):
    def check(self, *given: str, left: Sequence[str]) -> None:
        self.assertEqual(self.sample(*given).arguments_without("against", "format"), list(left))

    def test_that_are_kept_have_their_long_names(self) -> None:
        self.check(
            "--mode=a b", "-mx", "--all", "-a", left=["--mode=a b", "--mode=x", "--all", "--all"]
        )

    def test_that_are_left_out_can_be_written_in_any_form(self) -> None:
        for form in (["--format=json"], ["--format", "json"], ["--form=json"], ["--fo", "json"]):
            self.check("--all", *form, left=["--all"])
        self.check("--against=twisted==1", "--against", "rich", left=[])

    def test_that_are_not_options_are_kept(self) -> None:
        self.check("one", "--all", "--", "--two", left=["--all", "--", "one", "--two"])

    def test_with_a_former_name_are_known_by_the_current_one(self) -> None:
        self.check("--layout=json", "--every", left=["--all"])
        self.assertTrue(self.sample("--layout=json").is_given("format"))

    def test_that_are_empty_are_kept(self) -> None:
        self.check("--mode=", left=["--mode="])

    def test_can_be_asked_for_by_name(self) -> None:
        options = self.sample("--mod=x")
        self.assertTrue(options.is_given("mode"))
        self.assertFalse(options.is_given("format"))

    def test_are_those_of_the_process_by_default(self) -> None:
        import sys

        self.patch(sys, "argv", ["tlsdemo", "--all"])
        options = Sample()
        options.parseOptions()
        self.assertEqual(options.arguments_without(), ["--all"])


class TheCandidates(ComparisonCase):
    def test_are_none_without_other_versions(self) -> None:
        self.assertEqual(self.candidates("--all"), [])
        self.assertEqual(self.runs, [])

    def test_are_results_of_the_same_command_in_each_environment(self) -> None:
        found = self.candidates(
            *("--against=twisted==1 rich", "--mode=pair", "--format=html", "--against=twisted==2"),
            "a-name",
        )
        self.assertEqual(self.builder.asked, [["rich", "twisted==1"], ["twisted==2"]])
        arguments = ["sample", "--format=json", "--mode=pair", "--", "a-name"]
        self.assertEqual(self.runs, [("1", arguments), ("2", arguments)])
        self.assertEqual(
            found,
            [
                Candidate("twisted==1 rich", {"Twisted": "1"}, self.result),
                Candidate("twisted==2", {"Twisted": "1"}, self.result),
            ],
        )

    def test_release_the_environments_at_the_end(self) -> None:
        self.candidates("--against=rich")
        self.assertEqual(self.builder.in_use, 0)

    def test_with_another_python_are_named_after_it(self) -> None:
        (found,) = self.candidates("--against=twisted==1", "--python=3.12")
        self.assertEqual(found.name, "twisted==1, Python 3.12.1")

    def test_with_another_python_alone_have_the_packages_of_this_one(self) -> None:
        (found,) = self.candidates("--python=3.12")
        self.assertEqual(found.name, "Python 3.12.1")
        self.assertEqual(
            [each.partition("==")[0] for each in self.builder.asked[0]],
            ["cryptography", "pyOpenSSL", "service-identity", "Twisted"],
        )

    def test_are_announced_on_standard_error(self) -> None:
        self.candidates("--against=rich")
        self.assertEqual(self.errors.getvalue(), "tlsdemo sample: running with rich\n")


class Problems(ComparisonCase):
    def test_with_a_requirement_are_reported_at_once(self) -> None:
        self.assertEqual(
            self.refused(lambda: self.sample("--against=-r x")),
            "tlsdemo sample: --against is '-r x': '-r' is not a requirement such as "
            "twisted==24.7.0 (try: tlsdemo sample --help)",
        )

    def test_with_a_version_that_is_too_old_are_reported_at_once(self) -> None:
        self.dependencies = [Requirement("twisted>=24.7", "twisted")]
        self.assertEqual(
            self.refused(lambda: self.sample("--against=twisted==1")),
            "tlsdemo sample: --against is 'twisted==1': twisted==1 is older than tlsdemo supports, "
            "which needs twisted>=24.7 (try: tlsdemo sample --help)",
        )

    def test_with_an_environment_are_a_line_that_names_it(self) -> None:
        self.builder.problem = ComparisonError("no such version")
        self.assertEqual(
            self.refused(lambda: self.candidates("--against=twisted==99"), 1),
            "tlsdemo sample: --against is 'twisted==99': no such version",
        )
        self.assertEqual(
            self.refused(lambda: self.candidates("--python=3.12"), 1),
            "tlsdemo sample: --python is '3.12': no such version",
        )

    def test_with_a_python_are_a_line_that_names_it(self) -> None:
        self.builder.no_python = ComparisonError("there is no program python3.99")
        self.assertEqual(
            self.refused(lambda: self.sample("--python=3.99", "--against=rich")),
            "tlsdemo sample: --python is '3.99': there is no program python3.99 "
            "(try: tlsdemo sample --help)",
        )

    def test_with_the_disk_are_a_line(self) -> None:
        self.builder.problem = PermissionError(13, "Permission denied", "/cache")
        self.assertEqual(
            self.refused(lambda: self.candidates("--against=rich"), 1),
            "tlsdemo sample: no environment: /cache: Permission denied",
        )

    def test_an_interruption_while_one_is_built_is_a_line(self) -> None:
        self.builder.problem = KeyboardInterrupt()
        self.assertEqual(
            self.refused(lambda: self.candidates("--against=rich"), 1),
            "tlsdemo sample: interrupted: no environment was built",
        )

    def fails(self) -> str:
        exit_ = self.assertRaises(SystemExit, self.candidates, "--against=rich")
        self.assertEqual(exit_.code, 1)
        return self.errors.getvalue().splitlines()[-1]

    def test_with_the_command_are_a_line(self) -> None:
        self.result = ComparisonError("tlsdemo sample gave no result")
        self.assertEqual(self.fails(), "tlsdemo sample: tlsdemo sample gave no result")

    def test_an_interruption_of_the_command_is_a_line(self) -> None:
        self.result = KeyboardInterrupt()
        self.assertEqual(self.fails(), "tlsdemo sample: interrupted")

    def test_signals_interrupt_it_though_a_reactor_has_replaced_their_handlers(self) -> None:
        modules = mock.patch.dict(sys.modules)
        modules.start()
        self.addCleanup(modules.stop)
        sys.modules.pop("twisted.internet.reactor", None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, lambda *_: None)
            self.on_run = partial(signal.raise_signal, number)
            self.assertEqual(self.fails(), "tlsdemo sample: interrupted")


class Progress(RefusingCase):
    def test_of_the_builder_is_written_to_standard_error(self) -> None:
        options = Sample()
        options.builder()
        options.report("building")
        self.assertEqual(self.errors.getvalue(), "tlsdemo sample: building\n")
