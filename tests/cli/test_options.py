from __future__ import annotations

import enum
import io
import sys
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from twisted.trial.unittest import SynchronousTestCase

import tlsdemo
from tests.cli.refusals import RefusingCase
from tlsdemo.cli.options import (
    Options,
    choice,
    fail,
    named,
    seconds,
    whole,
)


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Sample(Options):
    command = "sample"

    optParameters: ClassVar[list[list[Any]]] = named([
        ["count", "c", 7, "How many.", whole(1, 1_000_000)],
        ["wait", None, 0.5, "How long.", seconds(0.1, 60)],
        ["colour", None, None, "Which.", choice(Colour)],
        ["word", None, "hello", "What."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [["loud", None, "Whether."]]

    aliases: ClassVar[Mapping[str, str]] = {"noisy": "loud", "number": "count"}

    def opt_size(self, text: str) -> None:
        """How large.

        The docstring of a method has several lines.
        """


class Named(Sample):
    def parseArgs(self, *names: str) -> None:
        self["names"] = names


class Fail(RefusingCase):
    def test_it_exits_with_one_line_and_the_status_for_bad_usage(self) -> None:
        self.assertEqual(self.refused(lambda: fail("sample", "no")), "sample: no")

    def test_the_status_can_be_another(self) -> None:
        self.assertEqual(self.refused(lambda: fail("sample", "no", status=1), 1), "sample: no")


class Parsers(SynchronousTestCase):
    def parsed(self, parser: Callable[[str], object], *texts: str) -> list[object]:
        return [parser(text) for text in texts]

    def refused(self, parser: Callable[[str], object], text: str) -> str:
        return str(self.assertRaises(ValueError, parser, text))

    def test_whole_numbers(self) -> None:
        self.assertEqual(self.parsed(whole(1, 9), "1", "9", " 5 "), [1, 9, 5])

    def test_texts_that_are_not_whole_numbers(self) -> None:
        for text in ("", "x", "1.5", "0x10", "1e3"):
            self.assertEqual(self.refused(whole(1, 9), text), "not a whole number")

    def test_whole_numbers_out_of_bounds(self) -> None:
        for text in ("0", "-1", "1000001"):
            problem = self.refused(whole(1, 1_000_000), text)
            self.assertEqual(problem, "not between 1 and 1,000,000")

    def test_seconds(self) -> None:
        self.assertEqual(self.parsed(seconds(0.0), "0", "0.25", "1e3"), [0.0, 0.25, 1000.0])

    def test_texts_that_are_not_seconds(self) -> None:
        for text in ("", "x", "1s"):
            self.assertEqual(self.refused(seconds(0.0), text), "not a number of seconds")

    def test_seconds_out_of_bounds(self) -> None:
        for text in ("0.05", "-1", "61", "nan", "inf", "-inf"):
            problem = self.refused(seconds(0.1, 60), text)
            self.assertEqual(problem, "not between 0.1 and 60 seconds")

    def test_a_choice(self) -> None:
        self.assertEqual(self.parsed(choice(Colour), "red", "green"), [Colour.RED, Colour.GREEN])

    def test_texts_that_are_none_of_the_choices(self) -> None:
        for text in ("", "blue"):
            self.assertEqual(self.refused(choice(Colour), text), "none of red, green")


class Parsing(RefusingCase):
    def parse(self, *arguments: str) -> Sample:
        sample = Sample()
        sample.parseOptions(arguments)
        return sample

    def test_values_are_parsed(self) -> None:
        sample = self.parse("-c", "3", "--wait=2", "--colour=red", "--word=x", "--loud")
        self.assertEqual(
            dict(sample), {"count": 3, "wait": 2.0, "colour": Colour.RED, "word": "x", "loud": 1}
        )

    def test_defaults_are_not_parsed(self) -> None:
        self.assertEqual(
            dict(self.parse()),
            {"count": 7, "wait": 0.5, "colour": None, "word": "hello", "loud": 0},
        )

    def test_every_problem_is_one_line_that_names_the_option_and_the_value(self) -> None:
        for argument, expected in {
            "--count=x": "--count is 'x', not a whole number",
            "-cx": "--count is 'x', not a whole number",
            "--count=0": "--count is '0', not between 1 and 1,000,000",
            "--count=1\n2": "--count is '1\\n2', not a whole number",
            "--wait=1s": "--wait is '1s', not a number of seconds",
            "--colour=blue": "--colour is 'blue', none of red, green",
            "--word": "option --word requires argument",
            "--cuont=1": "option --cuont not recognized; did you mean --count?",
            "--colour=rde": "--colour is 'rde', none of red, green; did you mean red?",
            "--nonsense=1": "option --nonsense not recognized",
            "--loud=1": "option --loud must not have an argument",
            "--co=1": "option --co not a unique prefix; it begins --count, --colour",
            "extra": "'extra' is not understood: it is not an option",
        }.items():
            message = self.refused(lambda argument=argument: self.parse(argument))  # type: ignore[misc]
            self.assertEqual(message, f"sample: {expected} (try: sample --help)")

    def test_options_may_follow_the_names(self) -> None:
        for arguments in (("--loud", "-c", "3", "a", "b"), ("a", "--loud", "b", "-c3"),
                          ("a", "b", "--lou", "--number=3")):  # fmt: skip
            sample = Named()
            sample.parseOptions(arguments)
            self.assertEqual((sample["names"], sample["loud"], sample["count"]), (("a", "b"), 1, 3))

    def test_two_hyphens_end_the_options(self) -> None:
        sample = Named()
        sample.parseOptions(["a", "--", "--loud", "-c3"])
        self.assertEqual((sample["names"], sample["loud"]), (("a", "--loud", "-c3"), 0))

    def test_named_does_not_change_its_argument(self) -> None:
        parameters: list[list[Any]] = [["count", None, 1, "How many.", whole(1)]]
        named(parameters)
        named(parameters)
        problem = self.assertRaises(ValueError, named(parameters)[0][4], "x")
        self.assertEqual(str(problem), "--count is 'x', not a whole number")


class Aliases(RefusingCase):
    def parse(self, *arguments: str) -> Sample:
        sample = Sample()
        sample.parseOptions(arguments)
        return sample

    def test_set_the_option_that_they_stand_for(self) -> None:
        self.assertEqual(
            dict(self.parse("--noisy", "--number=3")), dict(self.parse("--loud", "-c3"))
        )

    def test_have_the_same_checks(self) -> None:
        message = self.refused(lambda: self.parse("--number=x"))
        self.assertIn("--count is 'x', not a whole number", message)

    def test_are_not_in_the_help(self) -> None:
        text = str(Sample())
        self.assertIn("--loud", text)
        self.assertNotIn("--noisy", text)
        self.assertNotIn("--number", text)


class Help(SynchronousTestCase):
    def test_has_no_line_breaks_or_indentation_of_the_source(self) -> None:
        text = str(Sample())
        self.assertIn("How large. The docstring", text)

    def test_does_not_break_the_names_of_options(self) -> None:
        sample = Sample()
        sample.docs["word"] = "--a-name-with-many-hyphens " * 9
        self.assertEqual(str(sample).count("--a-name-with-many-hyphens"), 9)


class Version(RefusingCase):
    def test_is_that_of_tlsdemo(self) -> None:
        for arguments in (["--version"], ["a-name", "--version"]):
            self.patch(sys, "stdout", io.StringIO())
            exit_ = self.assertRaises(SystemExit, Sample().parseOptions, arguments)
            self.assertEqual(exit_.code, 0)
            self.assertEqual(cast(io.StringIO, sys.stdout).getvalue(), f"{tlsdemo.__version__}\n")
