from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from tests.cli.refusals import RefusingCase
from tlsdemo.cli import comparison_options as against_options
from tlsdemo.cli.comparison_options import AgainstOptions, There
from tlsdemo.cli.options import Options
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.interpreter import Interpreter
from tlsdemo.lab.compare.requirements import Requirement

PYTHON = Interpreter("/usr/bin/python3.12", "3.12.1", "linux-x86_64", "/usr")


class Sample(AgainstOptions, Options):
    """A command as ``tlsdemo events`` is one."""

    command = "tlsdemo sample"

    optParameters: ClassVar[list[list[Any]]] = [
        ["format", None, "text", "How it is written."],
        ["mode", "m", None, "Which mode."],
    ]
    optFlags: ClassVar[list[list[str | None]]] = [["all", "a", "All of them."]]

    def parseArgs(self, *names: str) -> None:
        self["names"] = names


class FakeBuilder:
    """Provides an environment for whatever it is asked, unless it has a ``problem``."""

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


class AgainstCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.builder = FakeBuilder()
        self.patch(AgainstOptions, "builder", lambda _: self.builder)
        self.runs: list[tuple[str, list[str]]] = []
        self.patch(against_options, "run_candidate", self.run_candidate)
        self.result: Any = {"cells": []}

    def run_candidate(
        self, environment: Environment, arguments: Sequence[str], within: float
    ) -> Any:
        self.assertEqual(self.builder.in_use, len(self.builder.asked))
        self.runs.append((environment.key, list(arguments)))
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def sample(self, *arguments: str) -> Sample:
        options = Sample()
        options.parseOptions(list(arguments))
        return options

    def there(self, *arguments: str) -> list[There]:
        found = self.sample(*arguments).results_there("--format=json", instead_of=["format"])
        return list(found)


class TheArguments(AgainstCase):
    def check(self, *given: str, left: Sequence[str]) -> None:
        self.assertEqual(self.sample(*given).without("against", "format"), list(left))

    def test_that_are_left_are_as_they_were_given(self) -> None:
        self.check("--mode=a b", "-mx", "--all", "-a", left=["--mode=a b", "-mx", "--all", "-a"])

    def test_that_are_not_wanted_go_with_their_values_however_they_were_written(self) -> None:
        for form in (["--format=json"], ["--format", "json"], ["--form=json"], ["--fo", "json"]):
            self.check("--all", *form, left=["--all"])
        self.check("--against=twisted==1", "--against", "rich", left=[])

    def test_that_are_no_options_stay_what_they_are(self) -> None:
        self.check("--all", "one", "--two", left=["--all", "--", "one", "--two"])

    def test_that_are_empty_stay(self) -> None:
        self.check("--mode=", left=["--mode="])

    def test_are_known_to_be_given_or_not(self) -> None:
        options = self.sample("--mod=x")
        self.assertTrue(options.is_given("mode"))
        self.assertFalse(options.is_given("format"))

    def test_come_from_the_command_line_if_they_are_not_handed_in(self) -> None:
        import sys

        self.patch(sys, "argv", ["tlsdemo", "--all"])
        options = Sample()
        options.parseOptions()
        self.assertEqual(options.without(), ["--all"])


class TheResults(AgainstCase):
    def test_are_none_unless_one_asks_for_other_versions(self) -> None:
        self.assertEqual(self.there("--all"), [])
        self.assertEqual(self.runs, [])

    def test_are_of_the_same_command_in_each_environment(self) -> None:
        found = self.there(
            *("--against=twisted==1 rich", "--mode=pair", "--format=html", "--against=twisted==2"),
            "a-name",
        )
        self.assertEqual(self.builder.asked, [["rich", "twisted==1"], ["twisted==2"]])
        arguments = ["sample", "--format=json", "--mode=pair", "--", "a-name"]
        self.assertEqual(self.runs, [("1", arguments), ("2", arguments)])
        self.assertEqual(
            found,
            [
                There("twisted==1 rich", {"Twisted": "1"}, self.result),
                There("twisted==2", {"Twisted": "1"}, self.result),
            ],
        )

    def test_let_go_of_the_environments_at_their_end(self) -> None:
        self.there("--against=rich")
        self.assertEqual(self.builder.in_use, 0)

    def test_with_another_python_say_so(self) -> None:
        (found,) = self.there("--against=twisted==1", "--python=3.12")
        self.assertEqual(found.name, "twisted==1, Python 3.12.1")

    def test_with_another_python_alone_have_the_packages_as_they_are_here(self) -> None:
        (found,) = self.there("--python=3.12")
        self.assertEqual(found.name, "Python 3.12.1")
        self.assertEqual(
            [each.partition("==")[0] for each in self.builder.asked[0]],
            ["cryptography", "pyOpenSSL", "service-identity", "Twisted"],
        )

    def test_are_told_of_while_they_are_come_by(self) -> None:
        self.there("--against=rich")
        self.assertEqual(self.errors.getvalue(), "tlsdemo sample: the same with rich\n")


class Problems(AgainstCase):
    def test_with_what_is_no_requirement_are_told_at_once(self) -> None:
        self.assertEqual(
            self.refused(lambda: self.sample("--against=-r x")),
            "tlsdemo sample: --against is '-r x': '-r' is not a requirement such as "
            "twisted==24.7.0 (try: tlsdemo sample --help)",
        )

    def test_with_an_environment_are_a_line_that_names_it(self) -> None:
        self.builder.problem = ComparisonError("no such version")
        self.assertEqual(
            self.refused(lambda: self.there("--against=twisted==99"), 1),
            "tlsdemo sample: --against is 'twisted==99': no such version",
        )
        self.assertEqual(
            self.refused(lambda: self.there("--python=3.12"), 1),
            "tlsdemo sample: --python is '3.12': no such version",
        )

    def test_with_a_python_are_a_line_that_names_it(self) -> None:
        self.builder.no_python = ComparisonError("there is no program python3.99")
        self.assertEqual(
            self.refused(lambda: self.there("--python=3.99", "--against=rich"), 1),
            "tlsdemo sample: --python is '3.99': there is no program python3.99",
        )

    def test_with_the_disk_are_a_line(self) -> None:
        self.builder.problem = PermissionError(13, "Permission denied", "/cache")
        self.assertEqual(
            self.refused(lambda: self.there("--against=rich"), 1),
            "tlsdemo sample: no environment: [Errno 13] Permission denied: '/cache'",
        )

    def test_an_interruption_while_one_is_built_is_a_line(self) -> None:
        self.builder.problem = KeyboardInterrupt()
        self.assertEqual(
            self.refused(lambda: self.there("--against=rich"), 1),
            "tlsdemo sample: interrupted: no environment was built",
        )

    def there_fails(self) -> str:
        exit_ = self.assertRaises(SystemExit, self.there, "--against=rich")
        self.assertEqual(exit_.code, 1)
        return self.errors.getvalue().splitlines()[-1]

    def test_with_the_command_there_are_a_line(self) -> None:
        self.result = ComparisonError("tlsdemo sample gave no result")
        self.assertEqual(self.there_fails(), "tlsdemo sample: tlsdemo sample gave no result")

    def test_an_interruption_of_the_command_there_is_a_line(self) -> None:
        self.result = KeyboardInterrupt()
        self.assertEqual(self.there_fails(), "tlsdemo sample: interrupted")


class TheBuilder(RefusingCase):
    def test_is_in_the_users_cache_and_says_what_it_does_beside_the_results(self) -> None:
        options = Sample()
        options.builder()
        options.say("building")
        self.assertEqual(self.errors.getvalue(), "tlsdemo sample: building\n")
