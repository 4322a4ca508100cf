from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.scan.source_files import Unreadable, content_of, python_files


class Folders(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def file(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a = 1\n")
        return path

    def found(self) -> list[str]:
        return [
            path.relative_to(self.folder).as_posix()
            for path in python_files(self.folder, self.fail)
        ]

    def test_have_their_python_files_read(self) -> None:
        for name in ("b.py", "a.py", "c/d.py", "e.txt", "f.pyc", "g.pyi", "h.pyw"):
            self.file(name)
        self.assertEqual(self.found(), ["a.py", "b.py", "h.pyw", "c/d.py"])

    def test_have_the_files_of_twistd_and_its_web_server_read(self) -> None:
        for name in ("a.tac", "b.rpy"):
            self.file(name)
        self.assertEqual(self.found(), ["a.tac", "b.rpy"])

    def test_that_tools_have_made_are_left_out(self) -> None:
        for name in (".git/a.py", "__pycache__/a.py", "node_modules/a.py", "env/lib/a.py"):
            self.file(name)
        self.file("env/pyvenv.cfg")
        self.assertEqual(self.found(), [])

    def test_that_contain_themselves_end(self) -> None:
        self.file("a.py")
        (self.folder / "loop").symlink_to(self.folder.absolute())
        self.assertEqual(self.found(), ["a.py"])

    def test_that_cannot_be_read_are_told_and_the_rest_is_read(self) -> None:
        for name in ("a/a.py", "b.py"):
            self.file(name)
        listed = os.scandir

        def scandir(path: str) -> object:
            if path.endswith("/a"):
                raise PermissionError(13, "Permission denied", path)
            return listed(path)

        self.patch(os, "scandir", scandir)
        told: list[str] = []
        self.assertEqual(len(list(python_files(self.folder, told.append))), 1)
        (line,) = told
        self.assertRegex(line, "/a': permission denied$")


class Files(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def problem(self, act: Callable[..., object], *arguments: object) -> str:
        return str(self.assertRaises(Unreadable, act, *arguments))

    def test_of_any_name_are_read_if_named(self) -> None:
        self.path.write_bytes(b"a")
        self.assertEqual(list(python_files(self.path, self.fail)), [self.path])
        self.assertEqual(content_of(self.path), b"a")

    def test_that_are_notebooks_are_refused(self) -> None:
        # They are JSON, which is Python as well: nothing would be found in them.
        path = Path(self.mktemp()).with_suffix(".ipynb")
        path.write_text("{}")
        problem = self.assertRaises(Unreadable, content_of, path)
        self.assertIn("is a notebook", str(problem))
        self.assertIn("nbconvert", str(problem))

    def test_that_do_not_exist(self) -> None:
        self.assertIn(
            "no such file", self.problem(lambda: list(python_files(self.path, self.fail)))
        )

    def test_of_impossible_names(self) -> None:
        for name in ("a\0b", "a" * 5000):
            files = python_files(Path(name), self.fail)
            self.assertIn(repr(name), self.problem(next, files))

    def test_that_are_too_large(self) -> None:
        self.path.write_bytes(b"aaa")
        self.assertEqual(content_of(self.path, 3), b"aaa")
        self.assertIn("has more than 2 bytes", self.problem(content_of, self.path, 2))

    def test_that_are_pipes_are_not_waited_for(self) -> None:
        os.mkfifo(self.path)
        self.assertIn("is not a regular file", self.problem(content_of, self.path))

    def test_that_are_gone(self) -> None:
        self.assertIn("no such file", self.problem(content_of, self.path))
