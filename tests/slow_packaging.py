"""Whoever gets tlsdemo as a wheel, as an editable install or as a bare checkout gets all of it.

An empty virtualenv is made once and goes through the three in turn, because making one and
filling it is what takes the time; what was seen on the way is kept for the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import __version__

ROOT = Path(__file__).resolve().parent.parent

# What a package is built from; the copy keeps build/ and *.egg-info out of the tree.
SOURCES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "MANIFEST.in",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "certs/.gitignore",
    "certs/README.md",
    "constraints-oldest.txt",
    "pyproject.toml",
    "setup.cfg",
    "tests",
    "tlsdemo",
    "twisted",
)

TWISTD = "from twisted.scripts.twistd import run; run()"

STYLE_SHEETS = """
from tlsdemo.reporting.page_files import data_file
for name in ("sequence_diagram.css", "event_matrix.css"):
    print(len(data_file(name)))
"""
"""Prints the sizes of the style sheets."""

TIMEOUT = 120.0


PLUGINS = {"twisted/plugins/tlsdemo_plugin.py", "twisted/plugins/tlsdemo_endpoints.py"}
"""What is put into Twisted's own folder."""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit status, and all that it printed."""

    status: int
    text: str

    def lists(self, command: str) -> bool:
        """Whether twistd's help offers `command`, with a description."""
        return any(
            line.split()[:1] == [command] and len(line.split()) > 1
            for line in self.text.splitlines()
        )


@dataclass(frozen=True)
class Testbed:
    """The folders, and for each state of the virtualenv twistd's help and the style sheets.

    It is left with the wheel installed.
    """

    wheel: Path
    sdist: Path
    bin: Path
    elsewhere: Path
    bare: Outcome
    editable: Outcome
    installed: Outcome
    style_sheets: Mapping[str, Outcome]

    def run(self, *command: str) -> Outcome:
        """The outcome of an installed command, run away from any checkout."""
        return _outcome(str(self.bin / command[0]), *command[1:], cwd=self.elsewhere)


def _outcome(*command: str, cwd: Path, env: Mapping[str, str] | None = None) -> Outcome:
    bare_environment = {"PATH": os.defpath, "HOME": str(cwd), "LANG": "C.UTF-8"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=bare_environment if env is None else env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TIMEOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)


def _demand(*command: str, cwd: Path) -> None:
    # pip needs to know of the user's proxy and index; no other module may come in with that.
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COVERAGE"))
    }
    outcome = _outcome(*command, cwd=cwd, env=env)
    if outcome.status:
        raise AssertionError(f"{' '.join(command)}\n{outcome.text}")


def _copy_sources(checkout: Path) -> None:
    for name in SOURCES:
        source, target = ROOT / name, checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            junk = shutil.ignore_patterns("__pycache__", "dropin.cache", "_trial_temp*")
            shutil.copytree(source, target, ignore=junk)
        else:
            shutil.copy(source, target)


def _dependencies() -> list[str]:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["options"]["install_requires"].split("\n")[1:]


@cache
def _attempt() -> Testbed | Exception:
    try:
        return _make_lab()
    except Exception as problem:
        # Kept, or each test would spend the time on the same failure.
        return problem


def _make_lab() -> Testbed:
    # trial's working directory; it is emptied before the next run.
    base = Path(mkdtemp(dir=os.getcwd(), prefix="packaging-"))
    checkout, dist, elsewhere = base / "checkout", base / "dist", base / "elsewhere"
    for folder in (checkout, dist, elsewhere):
        folder.mkdir()
    _copy_sources(checkout)

    def build(hook: str) -> Path:
        before = set(dist.iterdir())
        code = f"from setuptools.build_meta import {hook} as build; build({str(dist)!r})"
        _demand(sys.executable, "-c", code, cwd=checkout)
        (built,) = set(dist.iterdir()) - before
        # What a build leaves must not help the next one, nor a bare checkout.
        for left in [*checkout.glob("*.egg-info"), checkout / "build"]:
            shutil.rmtree(left, ignore_errors=True)
        return built

    venv = base / "venv"
    _demand(sys.executable, "-m", "venv", "--without-pip", str(venv), cwd=base)
    python = str(venv / "bin" / "python")

    def pip(*arguments: str) -> None:
        quietly = ("-m", "pip", "--python", python, "--disable-pip-version-check", "--quiet")
        _demand(sys.executable, *quietly, *arguments, cwd=elsewhere)

    def install(*what: str) -> None:
        pip("install", "--no-compile", *what)

    install(*_dependencies())
    bare = _outcome(python, "-c", TWISTD, "--help", cwd=checkout)
    style_sheets = {"a bare checkout": _outcome(python, "-c", STYLE_SHEETS, cwd=checkout)}

    editable_wheel = build("build_editable")
    install("--no-deps", str(editable_wheel))
    editable_wheel.unlink()
    editable = _outcome(str(venv / "bin" / "twistd"), "--help", cwd=elsewhere)
    style_sheets["an editable install"] = _outcome(python, "-c", STYLE_SHEETS, cwd=elsewhere)
    pip("uninstall", "--yes", "tlsdemo")

    sdist = build("build_sdist")
    wheel = build("build_wheel")
    install(str(wheel))
    pip("check")
    installed = _outcome(str(venv / "bin" / "twistd"), "--help", cwd=elsewhere)
    style_sheets["the wheel"] = _outcome(python, "-c", STYLE_SHEETS, cwd=elsewhere)
    return Testbed(wheel, sdist, venv / "bin", elsewhere, bare, editable, installed, style_sheets)


def lab() -> Testbed:
    attempt = _attempt()
    if isinstance(attempt, Exception):
        raise attempt
    return attempt


class TwistdListsOurCommands(SynchronousTestCase):
    def check(self, outcome: Outcome) -> None:
        self.assertEqual(outcome.status, 0, outcome.text)
        for command in ("tlsdemo", "tlsclient"):
            self.assertTrue(outcome.lists(command), f"{command} is not in:\n{outcome.text}")

    def test_in_a_bare_checkout(self) -> None:
        self.check(lab().bare)

    def test_after_an_editable_install(self) -> None:
        self.check(lab().editable)

    def test_after_the_wheel_is_installed(self) -> None:
        self.check(lab().installed)


class TheStyleSheets(SynchronousTestCase):
    def test_are_data_files_of_the_wheel_and_the_sdist(self) -> None:
        names = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tlsdemo").rglob("*.css")}
        self.assertIn("tlsdemo/reporting/sequence_diagram.css", names)
        self.assertLessEqual(names, set(ZipFile(lab().wheel).namelist()))
        with tarfile.open(lab().sdist) as archive:
            self.assertLessEqual(names, {name.partition("/")[2] for name in archive.getnames()})

    def test_can_be_loaded_from_the_wheel_an_editable_install_and_a_bare_checkout(self) -> None:
        sizes = [
            len((ROOT / "tlsdemo" / "reporting" / name).read_text(encoding="utf-8"))
            for name in ("sequence_diagram.css", "event_matrix.css")
        ]
        for where, outcome in lab().style_sheets.items():
            self.assertEqual((outcome.status, outcome.text.split()), (0, [*map(str, sizes)]), where)
        self.assertEqual(len(lab().style_sheets), 3)


class TheInstalledWheelRuns(SynchronousTestCase):
    def check(self, *command: str) -> None:
        outcome = lab().run(*command)
        self.assertEqual(outcome.status, 0, outcome.text)
        self.assertIn("usage", outcome.text.lower())

    def test_twistd_tlsdemo(self) -> None:
        self.check("twistd", "tlsdemo", "--help")

    def test_twistd_tlsclient(self) -> None:
        self.check("twistd", "tlsclient", "--help")

    def test_the_tlsdemo_command(self) -> None:
        self.check("tlsdemo", "--help")

    def test_python_m_tlsdemo(self) -> None:
        self.check("python", "-m", "tlsdemo", "--help")

    def test_it_knows_its_version(self) -> None:
        code = "from importlib.metadata import version; print(version('tlsdemo'))"
        self.assertEqual(lab().run("python", "-c", code).text.strip(), __version__)


class TheArchives(SynchronousTestCase):
    def test_the_wheel_holds_every_file_of_the_package_and_no_other(self) -> None:
        held = {name for name in ZipFile(lab().wheel).namelist() if ".dist-info/" not in name}
        package = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "tlsdemo").rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        self.assertEqual(held, package | PLUGINS)

    def test_the_sdist_holds_the_tests_and_what_runs_them(self) -> None:
        with tarfile.open(lab().sdist) as archive:
            held = {name.partition("/")[2] for name in archive.getnames()}
        wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
        wanted |= {name for name in SOURCES if (ROOT / name).is_file()}
        wanted |= PLUGINS
        self.assertEqual(wanted - held, set())

    def test_no_private_key_is_in_either(self) -> None:
        with tarfile.open(lab().sdist) as archive:
            names = [*archive.getnames(), *ZipFile(lab().wheel).namelist()]
        self.assertEqual([name for name in names if name.endswith((".pem", ".key"))], [])
