from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from tests.cli.refusals import RefusingCase
from tlsdemo.cli import versions_command
from tlsdemo.cli.versions_command import VersionsOptions
from tlsdemo.lab.compare.environment_cache import Cache, Environment
from tlsdemo.tls import versions


class VersionsCase(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)
        home = Path(self.mktemp()).absolute()
        self.folder = home / "versions"
        self.patch(versions_command, "default_folder", lambda: self.folder)
        self.cache = Cache(self.folder)

    def make(self, name: str, whole: bool = True) -> None:
        environment = Environment(
            self.folder / name, ("twisted==1",), {"Twisted": "1", "OpenSSL": "OpenSSL 2"}
        )
        environment.python.parent.mkdir(parents=True)
        environment.python.write_text("#!")
        if whole:
            self.cache.complete(environment)

    def versions(self, *arguments: str) -> str:
        options = VersionsOptions()
        options.parseOptions(list(arguments))
        self.assertEqual(options.run(), 0)
        return self.output.getvalue()


class Listing(VersionsCase):
    def test_shows_the_installed_versions(self) -> None:
        text = self.versions()
        self.assertTrue(text.startswith("installed: Python "), text)
        self.assertIn(f"Twisted {versions()['Twisted']}", text)
        self.assertIn("\n  decryption: ", text)
        self.assertIn("\n  encryption: ", text)
        self.assertEqual(text.count("\n"), 5)

    def test_shows_the_contents_size_last_use_and_location_of_each_environment(self) -> None:
        self.make("a")
        os.utime(self.folder / "a" / "environment.json", (0.0, 0.0))
        lines = self.versions().splitlines()[6:]
        self.assertEqual(
            lines[:3], ["a", "  requirements: twisted==1", "  versions: Twisted 1, OpenSSL 2"]
        )
        self.assertRegex(lines[3], r"^  [\d,.]+ (bytes|MB), last used (1970-01-01|1969-12-31) ")
        self.assertEqual(lines[4], f"  in {self.folder / 'a'}")

    def test_shows_an_incomplete_environment(self) -> None:
        self.make("a", whole=False)
        self.assertIn(
            "a\n  incomplete: it is being built, or the build was interrupted\n", self.versions()
        )


class Clearing(VersionsCase):
    def setUp(self) -> None:
        super().setUp()
        for name in ("one-x", "one-y", "two"):
            self.make(name, whole=name != "one-y")

    def test_removes_all(self) -> None:
        self.assertEqual(self.versions("--clear"), "removed one-x\nremoved one-y\nremoved two\n")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_removes_the_named_environments(self) -> None:
        self.assertEqual(self.versions("--clear", "tw", "one-y"), "removed two\nremoved one-y\n")
        self.assertEqual(self.cache.names(), ["one-x"])

    def test_prefers_a_complete_name_to_the_beginning_of_another(self) -> None:
        self.make("two-more")
        self.versions("--clear", "two")
        self.assertIn("two-more", self.cache.names())

    def test_removes_nothing_if_a_name_is_ambiguous_or_unknown(self) -> None:
        for name, expected in {
            "one": "2 names begin with it",
            "x": "there is no such name",
        }.items():
            message = self.refused(lambda name=name: self.versions("--clear", "two", name), 1)  # type: ignore[misc]
            self.assertEqual(
                message, f"tlsdemo versions: {name!r}: {expected} (try: tlsdemo versions)"
            )
        self.assertEqual(len(self.cache.names()), 3)

    def test_keeps_an_environment_in_use(self) -> None:
        with self.cache.locked("two", shared=True):
            message = self.refused(lambda: self.versions("--clear"), 1)
        self.assertEqual(
            message, "tlsdemo versions: not removed, because another command uses it: two"
        )
        self.assertEqual(self.cache.names(), ["two"])

    def test_reports_an_environment_that_cannot_be_removed(self) -> None:
        def remove(_: str) -> bool:
            raise PermissionError(13, "Permission denied", "/cache")

        self.patch(Cache, "remove", lambda _, name: remove(name))
        message = self.refused(lambda: self.versions("--clear"), 1)
        self.assertEqual(message, "tlsdemo versions: /cache: Permission denied")

    def test_needs_the_option_for_names(self) -> None:
        self.assertEqual(
            self.refused(lambda: self.versions("two")),
            "tlsdemo versions: 'two' is not understood without --clear "
            "(try: tlsdemo versions --help)",
        )
