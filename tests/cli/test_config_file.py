from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli import config_file
from tlsdemo.cli.config_file import BadConfig, ConfigFile, Kind, as_given, toml_line

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
"""What can be on a command line, but for bytes that are not UTF-8."""

KINDS = {"flag": Kind.FLAG, "count": Kind.INTEGER, "wait": Kind.NUMBER, "name": Kind.TEXT}
KINDS["names"] = Kind.TEXTS

VALUES = {
    Kind.FLAG: st.just([""]),
    Kind.INTEGER: st.integers().map(lambda number: [str(number)]),
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False).map(lambda each: [str(each)]),
    Kind.TEXT: texts.map(lambda text: [text]),
    Kind.TEXTS: st.lists(texts, min_size=1),
}


class RoundTrip(SynchronousTestCase):
    # A busy machine is slow.
    @settings(deadline=None)
    @given(st.fixed_dictionaries({}, optional={each: VALUES[kind] for each, kind in KINDS.items()}))
    def test_what_is_written_is_read(self, values: dict[str, list[str]]) -> None:
        lines = [toml_line(name, KINDS[name], given) for name, given in values.items()]
        found = ConfigFile("x", "\n".join(lines).encode()).settings()
        expected = [(name, value) for name, given in values.items() for value in given]
        self.assertEqual(list(as_given(found, KINDS)), expected)

    def test_bytes_that_are_not_utf_8_are_refused(self) -> None:
        problem = self.assertRaises(BadConfig, toml_line, "name", Kind.TEXT, ["\udcff"])
        self.assertIn(r"'\udcff' is not UTF-8", str(problem))

    def test_a_number_may_be_whole(self) -> None:
        self.assertEqual(list(as_given({"wait": 5}, KINDS)), [("wait", "5")])

    def test_of_several_values_of_an_option_the_last_counts(self) -> None:
        self.assertEqual(toml_line("count", Kind.INTEGER, ["1", "2"]), "count = 2")

    def test_a_flag_may_be_false_and_one_text_is_enough_for_several(self) -> None:
        found = list(as_given({"flag": False, "names": "one"}, KINDS))
        self.assertEqual(found, [("names", "one")])


class Types(SynchronousTestCase):
    def check(self, toml: str, expected: str) -> None:
        found = ConfigFile("x", toml.encode()).settings()
        problem = self.assertRaises(BadConfig, list, as_given(found, KINDS))
        self.assertEqual(str(problem), expected)

    def test_errors_name_the_key_the_value_and_what_it_takes(self) -> None:
        for toml, expected in {
            "flag = 1": "flag is 1, and it takes true or false",
            'flag = "yes"': "flag is 'yes', and it takes true or false",
            "count = true": "count is true, and it takes a whole number",
            "count = 1.5": "count is 1.5, and it takes a whole number",
            'count = "1"': "count is '1', and it takes a whole number",
            'wait = "1"': "wait is '1', and it takes a number",
            "wait = false": "wait is false, and it takes a number",
            "name = 1.2": "name is 1.2, and it takes a text, in quotes",
            "name = ['a']": "name is ['a'], and it takes a text, in quotes",
            "name = 2026-01-01": "name is 2026-01-01, and it takes a text, in quotes",
            "names = [1]": 'names is 1, and it takes one text or several, such as ["one", "two"]',
            "[names]": 'names is a table, and it takes one text or several, such as ["one", "two"]',
            r'name = "a\u0000"': r"name is 'a\x00', with a zero byte; leave it out",
        }.items():
            self.check(toml, expected)

    def test_the_kind_of_an_option_is_what_its_parser_returns(self) -> None:
        def number(text: str) -> float:
            return float(text)

        self.assertEqual(Kind.of_parser(int), Kind.TEXT)
        self.assertEqual(Kind.of_parser(number), Kind.NUMBER)
        self.assertEqual(Kind.of_parser(None), Kind.TEXT)


class Reading(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def refused(self, content: bytes) -> str:
        self.file.write_bytes(content)

        def read() -> None:
            ConfigFile.read(str(self.file)).settings()

        return str(self.assertRaises(BadConfig, read))

    def test_a_file_that_cannot_be_used_is_refused(self) -> None:
        self.assertRegex(self.refused(b"mode\n"), r"^it is not TOML: .*line 1")
        self.assertRegex(self.refused(b"mode='a'\nmode='b'"), "^it is not TOML: Can ?not overwrite")
        self.assertEqual(self.refused(b"\xff"), "it is not text in UTF-8")
        self.assertIn("deeply", self.refused(b"a=" + b"[" * 100_000))
        self.patch(config_file, "LONGEST_FILE", 3)
        self.assertEqual(self.refused(b"a=10"), "it has more than 3 bytes")

    def test_a_file_that_cannot_be_read_is_refused(self) -> None:
        problem = self.assertRaises(BadConfig, ConfigFile.read, str(self.file))
        self.assertEqual(str(problem), "it cannot be read: No such file or directory")
        problem = self.assertRaises(BadConfig, ConfigFile.read, str(self.file.parent))
        self.assertEqual(str(problem), "it cannot be read: Is a directory")

    def test_it_tells_whether_the_file_has_changed(self) -> None:
        self.file.write_bytes(b"a=1")
        config = ConfigFile.read(str(self.file))
        self.assertFalse(config.has_changed())
        self.file.write_bytes(b"a=2")
        self.assertTrue(config.has_changed())
        self.file.unlink()
        self.assertTrue(config.has_changed())
