from __future__ import annotations

import os
from pathlib import Path

from tests.lab.compare.fake_tools import PYTHON, VERSIONS, BuilderCase
from tlsdemo.lab.compare import environment_builder as environment
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import (
    environment_variables,
    installed_requirements,
    isolated,
)
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.requirements import parse_requirements
from tlsdemo.lab.compare.source_tree import dependencies
from tlsdemo.lab.compare.tool import Done

REQUESTED = parse_requirements("twisted==24.7.0 pyopenssl==24.2.1")


class Case(BuilderCase):
    def provide(self, requested: str = "twisted==24.7.0 pyopenssl==24.2.1", uv: str | None = None) -> Environment:  # fmt: skip # noqa: E501
        with self.builder(uv).provide(parse_requirements(requested), PYTHON) as found:
            return found

    def refused(self, requested: str = "twisted==24.7.0") -> str:
        return str(self.assertRaises(ComparisonError, self.provide, requested))


class Building(Case):
    def test_a_virtual_environment_is_created_with_the_given_python(self) -> None:
        found = self.provide()
        self.assertEqual(
            self.tool.commands_with("venv"), [[PYTHON.path, "-m", "venv", str(found.folder)]]
        )

    def test_the_requested_packages_and_tlsdemos_dependencies_are_installed(self) -> None:
        found = self.provide()
        (command,) = self.tool.commands_with("install")
        self.assertEqual(
            command[:5], [str(found.python), "-m", "pip", "install", "--progress-bar=off"]
        )
        self.assertEqual(
            command[7:],
            [*(each.text for each in REQUESTED), *(each.text for each in dependencies())],
        )

    def test_the_other_tls_packages_are_pinned_to_their_installed_versions(self) -> None:
        self.provide()
        (constraints,) = self.tool.constraints
        assert constraints is not None
        pins = [each.text for each in installed_requirements(("cryptography", "service-identity"))]
        self.assertEqual(constraints.split(), pins)

    def test_the_pins_are_dropped_if_they_conflict(self) -> None:
        tries: list[list[str]] = []

        def fail(command: list[str]) -> Done:
            tries.append(command)
            return Done(1 if "-c" in command else 0, "ERROR: Cannot install")

        self.tool.failures["install"] = fail
        self.provide()
        self.assertEqual(self.tool.constraints[1:], [None])
        self.assertEqual(tries[1], [*tries[0][:5], *tries[0][7:]])

    def test_temporary_files_of_pip_go_with_the_environment(self) -> None:
        def interrupt(command: list[str]) -> Done:
            Path(self.tool.variables["TMPDIR"], "pip-unpack-1").mkdir()
            raise KeyboardInterrupt

        for word in ("venv", "install"):
            self.tool.failures = {word: interrupt}
            self.assertRaises(KeyboardInterrupt, self.provide)
            folder = Path(self.tool.variables["TMPDIR"])
            self.assertTrue(folder.is_relative_to(self.folder))
            self.assertFalse(folder.parent.exists())

    def test_uv_is_used_if_available(self) -> None:
        found = self.provide(uv="/bin/uv")
        make, install, _ = self.tool.commands
        self.assertEqual((make[:2], make[-3:]),
                         (["/bin/uv", "venv"], ["--python", PYTHON.path, str(found.folder)]))  # fmt: skip # noqa: E501
        self.assertEqual(install[:6],
                         ["/bin/uv", "pip", "install", "--quiet", "--python", str(found.python)])  # fmt: skip # noqa: E501

    def test_the_versions_in_the_environment_are_recorded(self) -> None:
        found = self.provide()
        self.assertEqual(found.versions, VERSIONS)
        self.assertEqual(found.asked, ("pyopenssl==24.2.1", "twisted==24.7.0"))
        self.assertEqual(found.built, 7.0)

    def test_the_build_and_the_folder_are_reported(self) -> None:
        self.provide()
        started, finished = self.reported
        self.assertIn("building an environment with pyopenssl==24.2.1 twisted==24.7.0", started)
        self.assertIn("Python 3.12.1", started)
        self.assertIn(str(self.folder), started)
        self.assertEqual(finished, "built in 0 s")


class Reuse(Case):
    def test_an_environment_is_reused_without_a_report(self) -> None:
        first = self.provide()
        self.tool.commands.clear()
        self.reported.clear()
        self.assertEqual(self.provide().folder, first.folder)
        self.assertEqual((self.tool.commands, self.reported), ([], []))

    def test_the_time_of_use_is_recorded(self) -> None:
        record = self.provide().folder / "environment.json"
        os.utime(record, (1.0, 1.0))
        self.provide()
        self.assertGreater(record.stat().st_mtime, 1.0)

    def test_other_requirements_need_another_environment(self) -> None:
        self.assertNotEqual(self.provide().folder, self.provide("twisted==25.5.0").folder)

    def test_a_range_of_versions_is_asked_for_anew_each_day(self) -> None:
        first = self.provide("twisted>=24.7")
        self.assertEqual(self.provide("twisted>=24.7").folder, first.folder)
        other, pinned = self.provide("twisted>=25.5"), self.provide("twisted==25.5.0")
        self.now += 86400.0
        second = self.provide("twisted>=24.7")
        self.assertNotEqual(second.folder, first.folder)
        self.assertEqual(self.provide("twisted==25.5.0").folder, pinned.folder)
        self.assertEqual(self.cache.names(), sorted(e.key for e in (other, pinned, second)))

    def test_one_of_an_earlier_day_stays_while_it_is_used(self) -> None:
        with self.builder().provide(parse_requirements("twisted>=24.7"), PYTHON) as first:
            self.now += 86400.0
            self.provide("twisted>=24.7")
            self.assertTrue(first.folder.exists())

    def test_other_installed_versions_need_another_environment(self) -> None:
        first = self.provide()
        self.patch(
            environment, "installed_requirements", lambda: parse_requirements("cryptography==1")
        )
        self.assertNotEqual(self.provide().folder, first.folder)

    def test_an_incomplete_environment_is_removed_first(self) -> None:
        first = self.provide()
        (first.folder / "environment.json").unlink()
        (first.folder / "left").touch()
        again = self.provide()
        self.assertEqual(again.folder, first.folder)
        self.assertFalse((again.folder / "left").exists())

    def test_an_environment_in_use_cannot_be_removed(self) -> None:
        with self.builder().provide(REQUESTED, PYTHON) as found:
            self.assertFalse(self.cache.remove(found.key))
        self.assertTrue(self.cache.remove(found.key))

    def test_an_environment_that_another_command_is_building_is_not_built_twice(self) -> None:
        key = self.provide().key
        record = self.folder / key / "environment.json"
        text = record.read_text()
        record.unlink()
        self.tool.commands.clear()
        lock = self.cache.locked(key, shared=False)
        lock.__enter__()

        def report(line: str) -> None:
            # The other command finishes at this moment.
            self.reported.append(line)
            record.write_text(text)
            lock.__exit__(None, None, None)

        builder = environment.Builder(self.cache, report, tool=self.tool)
        self.reported.clear()
        with builder.provide(REQUESTED, PYTHON):
            self.assertEqual(self.reported, [f"waiting for another command that is building {key}"])
        self.assertEqual(self.tool.commands, [])


class Errors(Case):
    def assert_nothing_is_left(self) -> None:
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_an_unknown_version_is_reported_with_pips_message(self) -> None:
        said = "ERROR: Could not find\nERROR: No matching distribution found for twisted==99\n"
        self.tool.failures["install"] = lambda _: Done(1, said)
        self.assertEqual(self.refused("twisted==99"),
                         "No matching distribution found for twisted==99")  # fmt: skip
        self.assert_nothing_is_left()

    def test_a_failure_of_venv_is_reported_in_one_line(self) -> None:
        self.tool.failures["venv"] = lambda _: Done(1, "a\nno module named ensurepip\n")
        self.assertEqual(self.refused(),
                         "it cannot create an environment: no module named ensurepip")  # fmt: skip
        self.assert_nothing_is_left()

    def test_incompatible_versions_are_reported_with_the_last_line_of_output(self) -> None:
        self.tool.failures["-c"] = lambda command: (
            Done(0, "") if "install" in command else Done(1, "Traceback\nImportError: no such\n")
        )
        self.assertEqual(
            self.refused(),
            "tlsdemo does not run with this combination of versions: ImportError: no such",
        )
        self.assert_nothing_is_left()

    def test_a_version_that_is_too_old_is_refused_before_the_build(self) -> None:
        self.assertIn("is older than tlsdemo supports", self.refused("twisted==22.10"))
        self.assertEqual(self.tool.commands, [])

    def test_nothing_is_left_after_an_interruption(self) -> None:
        def interrupt(_: list[str]) -> Done:
            raise KeyboardInterrupt

        self.tool.failures["install"] = interrupt
        self.assertRaises(KeyboardInterrupt, self.provide)
        self.assert_nothing_is_left()


class EnvironmentVariables(Case):
    def test_settings_that_affect_imports_are_removed_and_those_of_the_index_are_kept(self) -> None:
        left = isolated(
            {"PATH": "/bin", "PYTHONPATH": "x", "PIP_TARGET": "x", "PIP_INDEX_URL": "y"}
        )
        self.assertEqual(left["PATH"], "/bin")
        self.assertEqual(left["PIP_INDEX_URL"], "y")
        self.assertNotIn("PYTHONPATH", left)
        self.assertNotIn("PIP_TARGET", left)
        self.assertEqual(left["PYTHONNOUSERSITE"], "1")

    def test_the_python_path_contains_only_the_running_tlsdemo(self) -> None:
        found = self.provide()
        folder = Path(environment_variables(found)["PYTHONPATH"])
        self.assertEqual(folder.parent, found.folder)
        self.assertEqual(sorted(each.name for each in folder.iterdir()), ["tlsdemo", "twisted"])
