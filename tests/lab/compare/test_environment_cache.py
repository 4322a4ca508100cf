from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder


class CacheCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.cache = Cache(self.folder)

    def make(self, name: str) -> Environment:
        """Create what a build creates, without the record."""
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


class DefaultFolder(SynchronousTestCase):
    def test_it_is_in_the_users_cache(self) -> None:
        self.assertEqual(
            default_folder({"XDG_CACHE_HOME": "/somewhere"}), Path("/somewhere/tlsdemo/versions")
        )

    def test_a_relative_xdg_cache_home_is_ignored(self) -> None:
        self.patch(os, "environ", {"HOME": "/home/me"})
        for variables in ({}, {"XDG_CACHE_HOME": "here"}):
            self.assertEqual(default_folder(variables), Path("/home/me/.cache/tlsdemo/versions"))

    def test_without_a_home_directory_there_is_none(self) -> None:
        def home() -> Path:
            raise RuntimeError

        self.patch(Path, "home", home)
        self.assertIn("XDG_CACHE_HOME", str(self.assertRaises(ComparisonError, default_folder, {})))


class Lookup(CacheCase):
    def test_a_complete_environment_is_found(self) -> None:
        made = self.complete("a")
        found = self.cache.find("a")
        assert found is not None
        self.assertEqual((found.asked, found.versions, found.built), (made.asked, {"Twisted": "1"}, 12.0))  # fmt: skip # noqa: E501
        self.assertEqual(found.key, "a")

    def test_an_empty_cache_has_none(self) -> None:
        self.assertIsNone(self.cache.find("a"))
        self.assertEqual(self.cache.names(), [])

    def test_an_incomplete_environment_is_not_found(self) -> None:
        self.make("a")
        self.assertIsNone(self.cache.find("a"))
        self.assertEqual(self.cache.names(), ["a"])

    def test_an_environment_with_an_invalid_record_is_not_found(self) -> None:
        self.complete("a")
        for text in ("", "[]", "{}", '{"asked": 1, "versions": {}, "built": 0}'):
            (self.folder / "a" / "environment.json").write_text(text)
            self.assertIsNone(self.cache.find("a"))

    def test_an_environment_whose_python_is_gone_is_not_found(self) -> None:
        self.complete("a").python.unlink()
        self.assertIsNone(self.cache.find("a"))

    def test_the_time_of_the_last_use_is_recorded(self) -> None:
        self.complete("a")
        os.utime(self.folder / "a" / "environment.json", (1.0, 1.0))
        found = self.cache.find("a")
        assert found is not None
        self.assertEqual(found.used, 1.0)
        self.cache.touch("a")
        found = self.cache.find("a")
        assert found is not None
        self.assertGreater(found.used, 1.0)

    def test_the_size_does_not_follow_links(self) -> None:
        environment = self.complete("a")
        before = environment.size()
        (environment.folder / "big").write_bytes(os.urandom(50_000))
        (environment.folder / "link").symlink_to("big")
        self.assertGreaterEqual(environment.size() - before, 50_000)
        self.assertLess(environment.size() - before, 100_000)


class Removal(CacheCase):
    def test_it_removes_one_environment_and_its_lock(self) -> None:
        self.complete("a")
        self.complete("b")
        self.assertTrue(self.cache.remove("a"))
        self.assertEqual([each.name for each in self.folder.iterdir()], ["b"])

    def test_it_removes_incomplete_environments_too(self) -> None:
        self.make("a")
        self.assertTrue(self.cache.remove("a"))
        self.assertEqual(self.cache.names(), [])

    def test_it_keeps_an_environment_in_use(self) -> None:
        self.complete("a")
        with self.cache.locked("a", shared=True):
            self.assertFalse(self.cache.remove("a"))
        self.assertIsNotNone(self.cache.find("a"))


class Locking(CacheCase):
    def test_shared_locks_exclude_an_exclusive_one(self) -> None:
        with (
            self.cache.locked("a", shared=True),
            self.cache.locked("a", shared=True),
            self.cache.locked("a", shared=False, wait=False) as lock,
        ):
            self.assertIsNone(lock)

    def test_an_exclusive_lock_excludes_all_others(self) -> None:
        with self.cache.locked("a", shared=False):
            for shared in (True, False):
                with self.cache.locked("a", shared=shared, wait=False) as lock:
                    self.assertIsNone(lock)
            with self.cache.locked("b", shared=False, wait=False) as lock:
                self.assertIsNotNone(lock)

    def test_a_lock_is_released_after_an_exception(self) -> None:
        def fail() -> None:
            with self.cache.locked("a", shared=False):
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, fail)
        with self.cache.locked("a", shared=False, wait=False) as lock:
            self.assertIsNotNone(lock)

    def test_a_lock_on_a_removed_file_is_taken_again(self) -> None:
        # A command that held the lock removes the file between open() and flock().
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
