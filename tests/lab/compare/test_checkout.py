from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.checkout import is_checkout, requirement_of
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.requirements import parse_requirements


class Checkouts(SynchronousTestCase):
    def setUp(self) -> None:
        # The path of a checkout may have no space; that of trial's folder may.
        scratch = TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name).resolve() / "sample"
        self.folder.mkdir()
        (self.folder / "pyproject.toml").write_text('[project]\nname = "Sample.One"\n')
        (self.folder / "module.py").write_text("one = 1\n")
        self.cache = self.folder.parent / "archives"

    def git(self, *arguments: str) -> str:
        own = ("-c", "user.name=Ada", "-c", "user.email=ada@test.example")
        # What this user, or the hook that runs the tests, has set is for other repositories.
        env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", *own, *arguments], cwd=self.folder, capture_output=True, text=True, check=True,
            env={**env, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"},
        )  # fmt: skip
        return done.stdout.strip()

    def committed(self) -> str:
        """Commit the folder on a branch, trunk, and return the commit."""
        self.git("init", "-q", "-b", "trunk")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "one")
        return self.git("rev-parse", "trunk")

    def requirement(self, revision: str = "") -> str:
        return requirement_of(f"{self.folder}{revision}", self.cache)

    def refused(self, text: str, cache: Path | None = None) -> str:
        return str(self.assertRaises(ComparisonError, requirement_of, text, cache or self.cache))

    def test_are_told_from_requirements(self) -> None:
        texts = ("./twisted", "../twisted@trunk", "/twisted", "~/twisted", ".", "twisted==24.7.0")
        self.assertEqual([is_checkout(each) for each in texts], [True] * 5 + [False])

    def test_a_folder_is_a_requirement_that_changes_with_it(self) -> None:
        before = self.requirement()
        self.assertTrue(before.startswith(f"Sample.One@file://{self.folder}#state="))
        (parsed,) = parse_requirements(before)
        self.assertEqual(parsed.name, "sample-one")
        (self.folder / "build").mkdir()
        (self.folder / "build" / "made").write_text("")
        self.assertEqual(self.requirement(), before)
        os.utime(self.folder / "module.py", (1, 1))
        self.assertNotEqual(self.requirement(), before)

    def test_a_relative_folder(self) -> None:
        self.assertEqual(
            requirement_of(f"./{os.path.relpath(self.folder)}", self.cache), self.requirement()
        )

    def test_a_name_in_setup_cfg(self) -> None:
        (self.folder / "pyproject.toml").write_text("[tool.ruff]\n")
        (self.folder / "setup.cfg").write_text("[metadata]\nname = other\n")
        self.assertTrue(self.requirement().startswith("other@file:"))

    def test_a_branch_is_an_archive_of_its_commit(self) -> None:
        commit = self.committed()
        archive = self.cache / f"Sample.One-{commit}.zip"
        for revision in ("@trunk", f"@{commit}", f"@{commit[:10]}"):
            self.assertEqual(self.requirement(revision), f"Sample.One@file://{archive}")
        self.assertEqual([each.name for each in self.cache.iterdir()], [archive.name])
        self.assertIn("has no branch or commit nope", self.refused(f"{self.folder}@nope"))

    def test_a_branch_is_that_of_its_folder_in_a_hook_of_another_repository(self) -> None:
        commit = self.committed()
        self.patch(os, "environ", {**os.environ, "GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/"})
        archive = self.cache / f"Sample.One-{commit}.zip"
        self.assertEqual(self.requirement("@trunk"), f"Sample.One@file://{archive}")

    def test_an_archive_that_cannot_be_written(self) -> None:
        self.committed()
        self.cache.write_text("")
        self.assertIn("cannot keep archives", self.refused(f"{self.folder}@trunk"))

    def test_what_is_no_checkout(self) -> None:
        self.assertEqual(self.refused("./nowhere"), "there is no folder ./nowhere")
        (self.folder / "pyproject.toml").unlink()
        self.assertIn("is no checkout of a package", self.refused(str(self.folder)))

    def test_a_path_with_a_space(self) -> None:
        self.assertIn("has a space", self.refused(str(self.folder), Path("/a b")))

    def test_what_is_no_revision(self) -> None:
        self.assertIn("is not the name of", self.refused(f"{self.folder}@--output=x"))
        self.assertIn("has no branch or commit trunk", self.refused(f"{self.folder}@trunk"))
