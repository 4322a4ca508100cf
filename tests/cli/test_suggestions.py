from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli.suggestions import did_you_mean, one_of, similar

NAMES = ("starttls", "pair", "wrapped", "clear")


class Similar(SynchronousTestCase):
    def test_names_are_found_by_a_slip_or_another_case(self) -> None:
        for name, expected in {
            "startls": ["starttls"],
            "STARTTLS": ["starttls"],
            "pari": ["pair"],
            "tls": ["starttls"],
        }.items():
            self.assertEqual(similar(name, NAMES), expected)

    def test_a_name_that_resembles_none_has_no_suggestion(self) -> None:
        for name in ("", "a", "zz", "nonsense"):
            self.assertEqual(did_you_mean(name, NAMES), "")

    def test_there_are_at_most_three(self) -> None:
        self.assertEqual(len(similar("name", [f"name{number}" for number in range(9)])), 3)


class OneOf(SynchronousTestCase):
    def problem(self, name: str, known: tuple[str, ...]) -> str:
        return str(self.assertRaises(ValueError, one_of(known), name))

    def test_a_known_name_is_returned(self) -> None:
        self.assertEqual(one_of(NAMES)("pair"), "pair")

    def test_an_unknown_name_is_refused_with_the_known_ones(self) -> None:
        listed = "none of starttls, pair, wrapped, clear"
        self.assertEqual(self.problem("nonsense", NAMES), listed)
        self.assertEqual(self.problem("pari", NAMES), f"{listed}; did you mean pair?")

    def test_many_names_are_only_listed_if_none_is_similar(self) -> None:
        many = tuple(f"{letter}{letter}" for letter in "abcdefghi")
        self.assertEqual(self.problem("aaa", many), "unknown; did you mean aa?")
        self.assertEqual(self.problem("zzz", many), f"none of {', '.join(many)}")
