from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder
from tlsdemo.lab.compare.problem import Unattainable


class CacheCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.cache = Cache(self.folder)

    def make(self, name: str) -> Environment:
        """Make what a build leaves, without its record."""
        environment = Environment(
            self.folder / name, ("twisted==1",), {"Twisted": "1"}, built=12.0, used=0.0
        )
        environment.python.parent.mkdir(parents=True)
        environment.python.write_text("#!")
        return environment

    def complete(self, name: str) -> Environment:
        environment = self.make(name)
        self.cache.complete(environment)
        return environment


class TheDefaultFolder(SynchronousTestCase):
    def test_is_in_the_users_cache(self) -> None:
        self.assertEqual(
            default_folder({"XDG_CACHE_HOME": "/somewhere"}), Path("/somewhere/tlsdemo/versions")
        )

    def test_is_the_usual_one_if_that_is_not_absolute(self) -> None:
        self.patch(os, "environ", {"HOME": "/home/me"})
        for variables in ({}, {"XDG_CACHE_HOME": "here"}):
            self.assertEqual(default_folder(variables), Path("/home/me/.cache/tlsdemo/versions"))

    def test_cannot_be_without_a_home(self) -> None:
        def home() -> Path:
            raise RuntimeError

        self.patch(Path, "home", home)
        self.assertIn("XDG_CACHE_HOME", str(self.assertRaises(Unattainable, default_folder, {})))


class Finding(CacheCase):
    def test_gives_what_was_recorded(self) -> None:
        made = self.complete("a")
        found = self.cache.find("a")
        assert found is not None
        self.assertEqual((found.asked, found.versions, found.built), (made.asked, {"Twisted": "1"}, 12.0))  # fmt: skip # noqa: E501
        self.assertEqual(found.key, "a")

    def test_gives_nothing_where_there_is_nothing(self) -> None:
        self.assertIsNone(self.cache.find("a"))
        self.assertEqual(self.cache.names(), [])

    def test_gives_no_ruin(self) -> None:
        self.make("a")
        self.assertIsNone(self.cache.find("a"))
        self.assertEqual(self.cache.names(), ["a"])

    def test_gives_none_whose_record_makes_no_sense(self) -> None:
        self.complete("a")
        for text in ("", "[]", "{}", '{"asked": 1, "versions": {}, "built": 0}'):
            (self.folder / "a" / "environment.json").write_text(text)
            self.assertIsNone(self.cache.find("a"))

    def test_gives_none_whose_python_is_gone(self) -> None:
        self.complete("a").python.unlink()
        self.assertIsNone(self.cache.find("a"))

    def test_tells_when_it_was_last_used(self) -> None:
        self.complete("a")
        os.utime(self.folder / "a" / "environment.json", (1.0, 1.0))
        found = self.cache.find("a")
        assert found is not None
        self.assertEqual(found.used, 1.0)
        self.cache.touch("a")
        found = self.cache.find("a")
        assert found is not None
        self.assertGreater(found.used, 1.0)

    def test_tells_its_size_on_the_disk_without_what_is_elsewhere(self) -> None:
        environment = self.complete("a")
        before = environment.size()
        (environment.folder / "big").write_bytes(os.urandom(50_000))
        (environment.folder / "link").symlink_to("big")
        self.assertGreaterEqual(environment.size() - before, 50_000)
        self.assertLess(environment.size() - before, 100_000)


class Removing(CacheCase):
    def test_leaves_nothing_of_it_and_the_others_as_they_are(self) -> None:
        self.complete("a")
        self.complete("b")
        self.assertTrue(self.cache.remove("a"))
        self.assertEqual([each.name for each in self.folder.iterdir()], ["b"])

    def test_takes_ruins_too(self) -> None:
        self.make("a")
        self.assertTrue(self.cache.remove("a"))
        self.assertEqual(self.cache.names(), [])

    def test_does_not_take_what_is_in_use(self) -> None:
        self.complete("a")
        with self.cache.locked("a", shared=True):
            self.assertFalse(self.cache.remove("a"))
        self.assertIsNotNone(self.cache.find("a"))


class Locking(CacheCase):
    def test_lets_several_use_an_environment_but_none_change_it_meanwhile(self) -> None:
        with (
            self.cache.locked("a", shared=True),
            self.cache.locked("a", shared=True),
            self.cache.locked("a", shared=False, wait=False) as lock,
        ):
            self.assertIsNone(lock)

    def test_lets_one_alone_change_it(self) -> None:
        with self.cache.locked("a", shared=False):
            for shared in (True, False):
                with self.cache.locked("a", shared=shared, wait=False) as lock:
                    self.assertIsNone(lock)
            with self.cache.locked("b", shared=False, wait=False) as lock:
                self.assertIsNotNone(lock)

    def test_ends_with_the_block_even_after_an_exception(self) -> None:
        def fail() -> None:
            with self.cache.locked("a", shared=False):
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, fail)
        with self.cache.locked("a", shared=False, wait=False) as lock:
            self.assertIsNotNone(lock)

    def test_of_a_file_that_was_removed_meanwhile_is_none(self) -> None:
        # What a remover does that had the lock before: between open() and flock() the file goes.
        import fcntl

        locked: list[int] = []

        def flock(lock: int, how: int) -> None:
            if not locked:
                (self.folder / "a.lock").unlink()
            locked.append(lock)

        self.patch(fcntl, "flock", flock)
        with self.cache.locked("a", shared=False) as lock:
            assert lock is not None
            self.assertEqual(len(locked), 2)
            self.assertTrue(os.path.samestat(os.fstat(lock), (self.folder / "a.lock").stat()))
