"""Builds environments with other versions, which are kept and reused."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Cache, Environment
from tlsdemo.lab.compare.interpreter import Interpreter, find_interpreter
from tlsdemo.lab.compare.pip_steps import step
from tlsdemo.lab.compare.requirements import (
    Requirement,
    check_supported,
    environment_key,
    parse_requirements,
)
from tlsdemo.lab.compare.source_tree import dependencies, link_into, oldest_python
from tlsdemo.lab.compare.tool import Done, Tool, execute
from tlsdemo.lab.compare.tool_errors import error_line

BUILD_TIMEOUT = 1800.0
"""Seconds that each step of a build may take; an old version may have to be compiled."""

TLS_PACKAGES = ("Twisted", "pyOpenSSL", "cryptography", "service-identity")
"""Packages that keep their installed version, unless another is requested or necessary."""

_DAY = 86400.0

_VERSIONS = "import json; from tlsdemo.tls import versions; print(json.dumps(versions()))"

# Variables that would make other modules importable, or have packages installed elsewhere. Those
# that say where packages come from (an index, a proxy, a certificate) are kept.
_UNSET = {
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV", "CONDA_PREFIX"),
    *("__PYVENV_LAUNCHER__", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_NO_DEPS"),
    *("PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_REQUIRE_HASHES"),
    *("PIP_REQUIRE_VIRTUALENV", "PIP_REPORT", "PIP_QUIET", "PIP_VERBOSE"),
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE_NEWER"),
    *("UV_REQUIRE_HASHES", "UV_VENV_SEED", "UV_RESOLUTION"),
}
_SET = {
    "PYTHONNOUSERSITE": "1",
    # Since Python 3.11, this keeps the current directory off the path.
    "PYTHONSAFEPATH": "1",
    "PIP_USER": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def isolated(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment ``variables`` without those that affect the imports of Python."""
    return {**{name: text for name, text in variables.items() if name not in _UNSET}, **_SET}


def installed_requirements(names: Sequence[str] = TLS_PACKAGES) -> list[Requirement]:
    """Return requirements that pin these packages to their installed versions."""
    return parse_requirements(" ".join(f"{name}=={metadata.version(name)}" for name in names))


class Builder:
    """Provides environments from a cache, and builds those that are not in it.

    Args:
        cache: The cache.
        report: Called with a line of progress.
        tool: Runs a program; for tests.
        uv: The path of uv; None to use venv and pip.
        now: Returns the time, in seconds since 1970.
    """

    def __init__(
        self,
        cache: Cache,
        report: Callable[[str], object],
        *,
        tool: Tool | None = None,
        uv: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._report = report
        self._tool = tool or self._execute
        self._uv = uv
        self._now = now
        self._variables = isolated(os.environ)

    @classmethod
    def of_the_user(cls, cache: Cache, report: Callable[[str], object]) -> Builder:
        """Return a builder that uses uv if it is on the PATH."""
        return cls(cache, report, uv=shutil.which("uv"))

    def interpreter(self, name: str | None) -> Interpreter:
        """Return the interpreter of this name or path; see :func:`find_interpreter`."""
        return find_interpreter(name, oldest_python(), self._tool, self._variables)

    @contextmanager
    def provide(
        self, requested: Sequence[Requirement], python: Interpreter
    ) -> Iterator[Environment]:
        """Provide an environment with the ``requested`` packages, locked against removal.

        The other :data:`TLS_PACKAGES` have the version that is installed here if it is compatible
        with those, and otherwise any version that is.  What a range of versions or a branch means
        is asked anew each day (UTC); the environment of an earlier day is then removed.

        Raises:
            ComparisonError: If the environment cannot be built.
        """
        needed = dependencies()
        check_supported(requested, needed)
        named = {each.name for each in requested}
        constraints = [each for each in installed_requirements() if each.name not in named]
        is_fixed = all(each.is_fixed for each in requested)
        today = "" if is_fixed else time.strftime("%Y-%m-%d", time.gmtime(self._now()))
        key = environment_key(
            requested,
            python.version,
            *(python.platform, python.prefix),
            *(each.text for each in [*needed, *constraints]),
            *filter(None, [today]),
        )
        waiting = False
        while True:
            with self._cache.locked(key, shared=True, wait=waiting) as lock:
                if lock is None:
                    self._report(f"waiting for another command that is building {key}")
                    waiting = True
                    continue
                found = self._cache.find(key)
                if found is not None:
                    self._cache.touch(key)
                    yield found
                    return
            with self._cache.locked(key, shared=False, wait=False) as lock:
                # If the lock is not available, another command is about to build it.
                if lock is not None and self._cache.find(key) is None:
                    self._build(key, requested, python, needed, constraints)
                    if not is_fixed:
                        self._remove_outdated(key)

    def _build(
        self,
        key: str,
        requested: Sequence[Requirement],
        python: Interpreter,
        needed: Sequence[Requirement],
        constraints: Sequence[Requirement],
    ) -> None:
        folder = self._cache.folder_of(key)
        began = self._now()
        texts = [each.text for each in requested]
        self._report(
            f"building an environment with {' '.join(texts)}, Python {python.version}; "
            f"it is built once, and kept in {folder.parent}"
        )
        # An interrupted build may have left something there.
        self._cache.wipe(key)
        try:
            self._make(folder, python)
            self._install(folder, [*texts, *(each.text for each in needed)], constraints)
            environment = Environment(folder, tuple(texts), built=began)
            versions = self._versions(environment)
            self._cache.complete(replace(environment, versions=versions))
        except BaseException:
            self._cache.discard(key)
            raise
        self._report(f"built in {self._now() - began:.0f} s")

    def _remove_outdated(self, key: str) -> None:
        """Remove what was built on an earlier day for the same requirements as ``key``."""
        new = self._cache.find(key)
        for name in self._cache.names():
            old = self._cache.find(name)
            if new and old and old.asked == new.asked and old.built // _DAY < new.built // _DAY:
                self._cache.remove(name)

    def _make(self, folder: Path, python: Interpreter) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self._uv is not None:
            command = [self._uv, "venv", "--quiet", "--no-project",
                       "--python", python.path, str(folder)]  # fmt: skip
        else:
            command = [python.path, "-m", "venv", str(folder)]
        done = self._run(command, folder)
        if done.status:
            raise ComparisonError(f"it cannot create an environment: {error_line(done.said)}")

    def _install(self, folder: Path, texts: list[str], constraints: Sequence[Requirement]) -> None:
        file = folder / "constraints.txt"
        file.write_text("".join(f"{each.text}\n" for each in constraints), encoding="utf-8")
        python = str(folder / "bin" / "python")
        if self._uv is not None:
            command = [self._uv, "pip", "install", "--quiet", "--python", python]
        else:
            # Not --quiet: its steps are reported.
            command = [python, "-m", "pip", "install", "--progress-bar=off"]
        done = self._run([*command, "-c", str(file), *texts], folder)
        if done.status and constraints:
            done = self._run([*command, *texts], folder)
        if done.status:
            raise ComparisonError(error_line(done.said))

    def _run(self, command: Sequence[str], folder: Path) -> Done:
        """Run pip, or venv, which runs it; uv has temporary files of its own.

        A pip that is ended by a signal leaves its files, so they are in ``folder``.
        """
        if self._uv is not None:
            return self._tool(command, self._variables)
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        done = self._tool(command, {**self._variables, "TMPDIR": str(temporary)})
        shutil.rmtree(temporary)
        return done

    def _versions(self, environment: Environment) -> dict[str, str]:
        """Return the installed versions, which also shows that tlsdemo can be imported there."""
        done = self._tool(
            [str(environment.python), "-c", _VERSIONS], environment_variables(environment)
        )
        try:
            found: dict[str, str] = json.loads(done.said.strip().rpartition("\n")[2])
        except ValueError:
            raise ComparisonError(
                f"tlsdemo does not run with this combination of versions: {error_line(done.said)}"
            ) from None
        return found

    def _execute(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
        waiting = partial(self._report_waiting, Path(arguments[0]).name)
        return execute(arguments, variables, BUILD_TIMEOUT, waiting=waiting, line=self._report_step)

    def _report_step(self, line: str) -> None:
        if text := step(line):
            self._report(text)

    def _report_waiting(self, name: str, seconds: float) -> None:
        self._report(f"{name} has been running for {seconds:.0f} s")


def environment_variables(environment: Environment) -> dict[str, str]:
    """Return the variables of a process in ``environment``, in which it imports this tlsdemo."""
    return {**isolated(os.environ), "PYTHONPATH": str(link_into(environment.folder))}
