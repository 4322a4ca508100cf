from __future__ import annotations

import os
from pathlib import Path

from tests.lab.compare.fake_tools import PYTHON, VERSIONS, BuildingCase
from tlsdemo.lab.compare import environment_builder as environment
from tlsdemo.lab.compare.environment_builder import as_here, clean, variables
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.requirements import read
from tlsdemo.lab.compare.source_tree import dependencies
from tlsdemo.lab.compare.tool import Done

ASKED = read("twisted==24.7.0 pyopenssl==24.2.1")


class Case(BuildingCase):
    def provide(self, asked: str = "twisted==24.7.0 pyopenssl==24.2.1", uv: str | None = None) -> Environment:  # fmt: skip # noqa: E501
        with self.builder(uv).provide(read(asked), PYTHON) as found:
            return found

    def refused(self, asked: str = "twisted==24.7.0") -> str:
        return str(self.assertRaises(Unattainable, self.provide, asked))


class Building(Case):
    def test_makes_a_virtual_environment_with_that_python(self) -> None:
        found = self.provide()
        self.assertEqual(self.tool.which("venv"), [[PYTHON.path, "-m", "venv", str(found.folder)]])

    def test_installs_what_is_asked_for_and_all_that_tlsdemo_needs(self) -> None:
        found = self.provide()
        (command,) = self.tool.which("install")
        self.assertEqual(command[:5], [str(found.python), "-m", "pip", "install", "--quiet"])
        self.assertEqual(
            command[7:], [*(each.text for each in ASKED), *(each.text for each in dependencies())]
        )

    def test_keeps_what_else_decides_as_it_is_here(self) -> None:
        self.provide()
        (constraints,) = self.tool.constraints
        assert constraints is not None
        here = [each.text for each in as_here(("cryptography", "service-identity"))]
        self.assertEqual(constraints.split(), here)

    def test_takes_what_goes_together_if_that_cannot_be(self) -> None:
        tries: list[list[str]] = []

        def wrong(command: list[str]) -> Done:
            tries.append(command)
            return Done(1 if "-c" in command else 0, "ERROR: Cannot install")

        self.tool.go_wrong["install"] = wrong
        self.provide()
        self.assertEqual(self.tool.constraints[1:], [None])
        self.assertEqual(tries[1], [*tries[0][:5], *tries[0][7:]])

    def test_uses_uv_where_it_is(self) -> None:
        found = self.provide(uv="/bin/uv")
        make, install, _ = self.tool.commands
        self.assertEqual((make[:2], make[-3:]),
                         (["/bin/uv", "venv"], ["--python", PYTHON.path, str(found.folder)]))  # fmt: skip # noqa: E501
        self.assertEqual(install[:6],
                         ["/bin/uv", "pip", "install", "--quiet", "--python", str(found.python)])  # fmt: skip # noqa: E501

    def test_records_the_versions_inside(self) -> None:
        found = self.provide()
        self.assertEqual(found.versions, VERSIONS)
        self.assertEqual(found.asked, ("pyopenssl==24.2.1", "twisted==24.7.0"))
        self.assertEqual(found.built, 7.0)

    def test_says_what_takes_long_and_where_it_is_kept(self) -> None:
        self.provide()
        begun, ended = self.said
        self.assertIn("building an environment with pyopenssl==24.2.1 twisted==24.7.0", begun)
        self.assertIn("Python 3.12.1", begun)
        self.assertIn(str(self.folder), begun)
        self.assertEqual(ended, "built in 0 s")


class Again(Case):
    def test_what_was_built_is_used_without_a_word(self) -> None:
        first = self.provide()
        self.tool.commands.clear()
        self.said.clear()
        self.assertEqual(self.provide().folder, first.folder)
        self.assertEqual((self.tool.commands, self.said), ([], []))

    def test_the_time_of_its_use_is_noted(self) -> None:
        record = self.provide().folder / "environment.json"
        os.utime(record, (1.0, 1.0))
        self.provide()
        self.assertGreater(record.stat().st_mtime, 1.0)

    def test_other_requirements_have_an_environment_of_their_own(self) -> None:
        self.assertNotEqual(self.provide().folder, self.provide("twisted==25.5.0").folder)

    def test_other_versions_here_have_one_too(self) -> None:
        first = self.provide()
        self.patch(environment, "as_here", lambda: read("cryptography==1"))
        self.assertNotEqual(self.provide().folder, first.folder)

    def test_a_ruin_is_cleared_away_first(self) -> None:
        first = self.provide()
        (first.folder / "environment.json").unlink()
        (first.folder / "left").touch()
        again = self.provide()
        self.assertEqual(again.folder, first.folder)
        self.assertFalse((again.folder / "left").exists())

    def test_while_it_is_used_it_cannot_be_removed(self) -> None:
        with self.builder().provide(ASKED, PYTHON) as found:
            self.assertFalse(self.cache.remove(found.key))
        self.assertTrue(self.cache.remove(found.key))

    def test_one_that_another_command_builds_is_waited_for_and_not_built_again(self) -> None:
        key = self.provide().key
        record = self.folder / key / "environment.json"
        text = record.read_text()
        record.unlink()
        self.tool.commands.clear()
        lock = self.cache.locked(key, shared=False)
        lock.__enter__()

        def say(line: str) -> None:
            # The other one has come to its end while we say that we wait.
            self.said.append(line)
            record.write_text(text)
            lock.__exit__(None, None, None)

        builder = environment.Builder(self.cache, say, tool=self.tool)
        self.said.clear()
        with builder.provide(ASKED, PYTHON):
            self.assertEqual(self.said, [f"another command builds {key}, waiting for it"])
        self.assertEqual(self.tool.commands, [])


class Problems(Case):
    def nothing_is_left(self) -> None:
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_with_a_version_is_told_in_pips_words(self) -> None:
        said = "ERROR: Could not find\nERROR: No matching distribution found for twisted==99\n"
        self.tool.go_wrong["install"] = lambda _: Done(1, said)
        self.assertEqual(self.refused("twisted==99"),
                         "No matching distribution found for twisted==99")  # fmt: skip
        self.nothing_is_left()

    def test_with_venv_is_told_in_a_line(self) -> None:
        self.tool.go_wrong["venv"] = lambda _: Done(1, "a\nno module named ensurepip\n")
        self.assertEqual(self.refused(),
                         "no environment can be made with it: no module named ensurepip")  # fmt: skip # noqa: E501
        self.nothing_is_left()

    def test_with_versions_that_do_not_go_together_is_told_with_the_last_line(self) -> None:
        self.tool.go_wrong["-c"] = lambda command: (
            Done(0, "") if "install" in command else Done(1, "Traceback\nImportError: no such\n")
        )
        self.assertEqual(
            self.refused(),
            "tlsdemo does not run with these versions together: ImportError: no such",
        )
        self.nothing_is_left()

    def test_with_a_version_that_is_too_old_is_told_before_anything_is_built(self) -> None:
        self.assertIn("is older than tlsdemo supports", self.refused("twisted==22.10"))
        self.assertEqual(self.tool.commands, [])

    def test_an_interruption_leaves_nothing(self) -> None:
        def interrupt(_: list[str]) -> Done:
            raise KeyboardInterrupt

        self.tool.go_wrong["install"] = interrupt
        self.assertRaises(KeyboardInterrupt, self.provide)
        self.nothing_is_left()


class TheVariables(Case):
    def test_bring_in_no_module_and_no_setting_of_the_users(self) -> None:
        left = clean({"PATH": "/bin", "PYTHONPATH": "x", "PIP_TARGET": "x", "PIP_INDEX_URL": "y"})
        self.assertEqual(left["PATH"], "/bin")
        self.assertEqual(left["PIP_INDEX_URL"], "y")
        self.assertNotIn("PYTHONPATH", left)
        self.assertNotIn("PIP_TARGET", left)
        self.assertEqual(left["PYTHONNOUSERSITE"], "1")

    def test_lead_to_the_tlsdemo_that_runs_and_to_nothing_else(self) -> None:
        found = self.provide()
        folder = Path(variables(found)["PYTHONPATH"])
        self.assertEqual(folder.parent, found.folder)
        self.assertEqual(sorted(each.name for each in folder.iterdir()), ["tlsdemo", "twisted"])
