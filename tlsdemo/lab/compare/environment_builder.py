"""An environment for other versions: built once, kept, and used again."""

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

from tlsdemo.lab.compare.environment_cache import Cache, Environment
from tlsdemo.lab.compare.interpreter import Interpreter, interpreter
from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.requirements import Requirement, check_supported, key, read
from tlsdemo.lab.compare.source_tree import dependencies, least_python, lend
from tlsdemo.lab.compare.tool import Done, Tool, execute
from tlsdemo.lab.compare.tool_errors import complaint

BUILD_WITHIN = 1800.0
"""Seconds that each step of a build may take; an old version may have to be compiled."""

DECISIVE = ("Twisted", "pyOpenSSL", "cryptography", "service-identity")
"""The packages that stay as they are here, unless they are asked for or cannot."""

_VERSIONS = "import json; from tlsdemo.tls import versions; print(json.dumps(versions()))"

# What a user set for another purpose would bring in other modules, or install them elsewhere.
# Settings of where packages come from (an index, a proxy, a certificate) stay.
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
    # From Python 3.11 on, the folder in which a command is run is not looked into.
    "PYTHONSAFEPATH": "1",
    "PIP_USER": "0",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that is to see its own environment only."""
    return {**{name: text for name, text in variables.items() if name not in _UNSET}, **_SET}


def as_here(names: Sequence[str] = DECISIVE) -> list[Requirement]:
    """Return what pins the packages that decide to the versions that are installed here."""
    return read(" ".join(f"{name}=={metadata.version(name)}" for name in names))


class Builder:
    """Provides environments from ``cache``, and builds those that are not in it.

    ``say`` is told, in words, what takes long.  ``tool`` runs a program; ``uv`` is the path of
    that program, ``None`` to use venv and pip.
    """

    def __init__(
        self,
        cache: Cache,
        say: Callable[[str], object],
        *,
        tool: Tool | None = None,
        uv: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._say = say
        self._tool = tool or self._execute
        self._uv = uv
        self._now = now
        self._variables = clean(os.environ)

    @classmethod
    def of_the_user(cls, cache: Cache, say: Callable[[str], object]) -> Builder:
        """Return one that uses what is on the PATH."""
        return cls(cache, say, uv=shutil.which("uv"))

    def interpreter(self, name: str | None) -> Interpreter:
        """Return the Python of that name or path, ours for ``None``; raises Unattainable."""
        return interpreter(name, least_python(), self._tool, self._variables)

    @contextmanager
    def provide(self, asked: Sequence[Requirement], python: Interpreter) -> Iterator[Environment]:
        """Give an environment with what is ``asked`` for, and keep it from being removed.

        Packages that decide how TLS behaves and are not asked for have the version that they have
        here, if that goes together; otherwise whatever does.  Raises Unattainable.
        """
        needed = dependencies()
        check_supported(asked, needed)
        named = {each.name for each in asked}
        alike = [each for each in as_here() if each.name not in named]
        name = key(
            asked,
            python.version,
            *(python.platform, python.prefix),
            *(each.text for each in [*needed, *alike]),
        )
        waits = False
        while True:
            with self._cache.locked(name, shared=True, wait=waits) as lock:
                if lock is None:
                    self._say(f"another command builds {name}, waiting for it")
                    waits = True
                    continue
                found = self._cache.find(name)
                if found is not None:
                    self._cache.touch(name)
                    yield found
                    return
            with self._cache.locked(name, shared=False, wait=False) as lock:
                # Without the lock, somebody else is about to build it.
                if lock is not None and self._cache.find(name) is None:
                    self._build(name, asked, python, needed, alike)

    def _build(
        self,
        name: str,
        asked: Sequence[Requirement],
        python: Interpreter,
        needed: Sequence[Requirement],
        alike: Sequence[Requirement],
    ) -> None:
        folder = self._cache.folder_of(name)
        began = self._now()
        texts = [each.text for each in asked]
        self._say(
            f"building an environment with {' '.join(texts)}, Python {python.version}; "
            f"this is done once, and kept in {folder.parent}"
        )
        # What is there is a ruin that an interrupted build has left.
        self._cache.wipe(name)
        try:
            self._make(folder, python)
            self._install(folder, [*texts, *(each.text for each in needed)], alike)
            environment = Environment(folder, tuple(texts), built=began)
            versions = self._versions(environment)
            self._cache.complete(replace(environment, versions=versions))
        except BaseException:
            self._cache.discard(name)
            raise
        self._say(f"built in {self._now() - began:.0f} s")

    def _make(self, folder: Path, python: Interpreter) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self._uv is not None:
            command = [self._uv, "venv", "--quiet", "--no-project",
                       "--python", python.path, str(folder)]  # fmt: skip
        else:
            command = [python.path, "-m", "venv", str(folder)]
        done = self._tool(command, self._variables)
        if done.status:
            raise Unattainable(f"no environment can be made with it: {complaint(done.said)}")

    def _install(self, folder: Path, texts: list[str], alike: Sequence[Requirement]) -> None:
        constraints = folder / "as-here.txt"
        constraints.write_text("".join(f"{each.text}\n" for each in alike), encoding="utf-8")
        python = str(folder / "bin" / "python")
        if self._uv is not None:
            command = [self._uv, "pip", "install", "--quiet", "--python", python]
        else:
            command = [python, "-m", "pip", "install", "--quiet"]
        done = self._tool([*command, "-c", str(constraints), *texts], self._variables)
        if done.status and alike:
            done = self._tool([*command, *texts], self._variables)
        if done.status:
            raise Unattainable(complaint(done.said))

    def _versions(self, environment: Environment) -> dict[str, str]:
        """Find out what is inside, and with that whether tlsdemo can be used there at all."""
        done = self._tool([str(environment.python), "-c", _VERSIONS], variables(environment))
        try:
            found: dict[str, str] = json.loads(done.said.strip().rpartition("\n")[2])
        except ValueError:
            raise Unattainable(
                f"tlsdemo does not run with these versions together: {complaint(done.said)}"
            ) from None
        return found

    def _execute(self, arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
        waiting = partial(self._still, Path(arguments[0]).name)
        return execute(arguments, variables, BUILD_WITHIN, waiting=waiting)

    def _still(self, name: str, seconds: float) -> None:
        self._say(f"{name} has been busy for {seconds:.0f} s")


def variables(environment: Environment) -> dict[str, str]:
    """Return the variables of a process in ``environment``, which finds this very tlsdemo there."""
    return {**clean(os.environ), "PYTHONPATH": str(lend(environment.folder))}
