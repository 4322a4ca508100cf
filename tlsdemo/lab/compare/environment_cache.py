"""Where environments are kept, and the locks that keep two commands from meeting in one."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlsdemo.lab.compare.problem import Unattainable

_RECORD = "environment.json"
_LOCK = ".lock"


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the environments, in the user's cache; it may not exist yet.

    ``XDG_CACHE_HOME`` counts only if it is absolute, as its specification says.
    """
    cache_home = environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache_home):
        return Path(cache_home, "tlsdemo", "versions")
    try:
        return Path.home() / ".cache" / "tlsdemo" / "versions"
    except RuntimeError:
        raise Unattainable(
            "there is no home directory to keep other versions in; set XDG_CACHE_HOME"
        ) from None


@dataclass(frozen=True)
class Environment:
    """An environment that is whole: its folder, what was asked for, and the versions inside.

    ``key`` is the folder's name; ``built`` and ``used`` are seconds since 1970.
    """

    folder: Path
    asked: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    built: float = 0.0
    used: float = 0.0

    @property
    def key(self) -> str:
        """The name that it is listed and removed by."""
        return self.folder.name

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    def size(self) -> int:
        """Return how many bytes it takes on the disk."""
        files = [file for file in self.folder.rglob("*") if not file.is_symlink()]
        return sum(file.stat().st_blocks * 512 for file in files)


class Cache:
    """The environments in one folder.

    One is built under its own name, because its scripts hold their path, and is whole once its
    record is there, which is written last and at once.  What has no record is a ruin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, key: str) -> Path:
        """Return the folder of the environment of that name, which may not exist."""
        return self._folder / key

    def find(self, key: str) -> Environment | None:
        """Return the environment of that name, ``None`` if there is none, or only a ruin."""
        folder = self._folder / key
        record = folder / _RECORD
        try:
            values: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
            used = record.stat().st_mtime
            environment = Environment(
                folder, tuple(values["asked"]), values["versions"], values["built"], used
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # It is a link to a Python that may have been removed meanwhile.
        return environment if environment.python.exists() else None

    def complete(self, environment: Environment) -> None:
        """Record that ``environment`` is whole."""
        values = {
            "asked": list(environment.asked),
            "versions": dict(environment.versions),
            "built": environment.built,
        }
        new = environment.folder / f"{_RECORD}.new"
        new.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        new.rename(environment.folder / _RECORD)

    def touch(self, key: str) -> None:
        """Note that the environment is used now."""
        os.utime(self._folder / key / _RECORD)

    def names(self) -> list[str]:
        """Return the names of all folders, whole or ruins."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if each.is_dir())

    def remove(self, key: str) -> bool:
        """Remove the environment of that name; returns False if it is in use, and stays."""
        with self.locked(key, shared=False, wait=False) as lock:
            if lock is None:
                return False
            self.discard(key)
            return True

    def discard(self, key: str) -> None:
        """Wipe the folder of that name, and remove the lock, which has to be held alone."""
        self.wipe(key)
        # Whoever waits for the lock will find that it is not this file's any more.
        (self._folder / f"{key}{_LOCK}").unlink(missing_ok=True)

    def wipe(self, key: str) -> None:
        """Remove the folder of that name; the lock has to be held."""
        folder = self._folder / key
        # First of all it stops being whole.
        (folder / _RECORD).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)

    @contextmanager
    def locked(self, key: str, *, shared: bool, wait: bool = True) -> Iterator[int | None]:
        """Hold the lock of the environment of that name, shared to use it, alone to change it.

        Gives ``None`` if it is taken and ``wait`` is false.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{key}{_LOCK}"
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        lock = _lock(path, how)
        try:
            yield lock
        finally:
            if lock is not None:
                os.close(lock)


def _lock(path: Path, how: int) -> int | None:
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, how)
            if _is_still(path, lock):
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _is_still(path: Path, lock: int) -> bool:
    """Whether the file of that path is the one that is locked, and not one made since."""
    try:
        return os.path.samestat(path.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False
