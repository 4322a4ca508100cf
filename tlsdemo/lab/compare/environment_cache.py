"""The cache of environments, with locks against concurrent builds and removals."""

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

from tlsdemo.lab.compare.comparison_error import ComparisonError

_RECORD = "environment.json"
_LOCK = ".lock"


def default_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of the environments, in the user's cache; it may not exist yet.

    ``environ``: environment variables, ours by default.  ``XDG_CACHE_HOME`` is ignored unless it is
    absolute, as its specification requires.

    Raises:
        ComparisonError: If there is no home directory.
    """
    cache_home = (os.environ if environ is None else environ).get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache_home):
        return Path(cache_home, "tlsdemo", "versions")
    try:
        return Path.home() / ".cache" / "tlsdemo" / "versions"
    except RuntimeError:
        raise ComparisonError(
            "there is no home directory to keep other versions in; set XDG_CACHE_HOME"
        ) from None


@dataclass(frozen=True)
class Environment:
    """A complete environment: its folder, the requirements it was built for, and its versions.

    ``built`` and ``used`` are in seconds since 1970.
    """

    folder: Path
    asked: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    built: float = 0.0
    used: float = 0.0

    @property
    def key(self) -> str:
        """Its name, which is that of its folder."""
        return self.folder.name

    @property
    def python(self) -> Path:
        """Its Python executable."""
        return self.folder / "bin" / "python"

    def size(self) -> int:
        """Return its size on the disk, in bytes."""
        files = [file for file in self.folder.rglob("*") if not file.is_symlink()]
        return sum(file.stat().st_blocks * 512 for file in files)


class Cache:
    """The environments in one folder.

    An environment is built in its final folder, because its scripts contain their own path.  Its
    record is written last, atomically; a folder without one is incomplete.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, key: str) -> Path:
        """Return the folder of the environment with this key, which may not exist."""
        return self._folder / key

    def find(self, key: str) -> Environment | None:
        """Return the environment with this key, or None if there is no complete one."""
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
        # It is a link to a Python that may have been removed since.
        return environment if environment.python.exists() else None

    def complete(self, environment: Environment) -> None:
        """Record that ``environment`` is complete."""
        values = {
            "asked": list(environment.asked),
            "versions": dict(environment.versions),
            "built": environment.built,
        }
        new = environment.folder / f"{_RECORD}.new"
        new.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        new.rename(environment.folder / _RECORD)

    def touch(self, key: str) -> None:
        """Record that the environment is being used now."""
        os.utime(self._folder / key / _RECORD)

    def names(self) -> list[str]:
        """Return the names of all folders, incomplete ones included."""
        if not self._folder.is_dir():
            return []
        return sorted(each.name for each in self._folder.iterdir() if each.is_dir())

    def remove(self, key: str) -> bool:
        """Remove the environment with this key; return False if it is in use, and so kept."""
        with self.locked(key, shared=False, wait=False) as lock:
            if lock is None:
                return False
            self.discard(key)
            return True

    def discard(self, key: str) -> None:
        """Remove the folder and the lock, of which the caller has to hold the exclusive one."""
        self.wipe(key)
        # Those waiting for the lock notice that the file has been replaced, and try again.
        (self._folder / f"{key}{_LOCK}").unlink(missing_ok=True)

    def wipe(self, key: str) -> None:
        """Remove the folder; the caller has to hold the exclusive lock."""
        folder = self._folder / key
        # From now on it is incomplete.
        (folder / _RECORD).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)

    @contextmanager
    def locked(self, key: str, *, shared: bool, wait: bool = True) -> Iterator[int | None]:
        """Hold the lock of an environment: ``shared`` to use it, exclusive to change it.

        The value is None if ``wait`` is false and the lock is not available.
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
    """Return whether the file at ``path`` is the locked one, and not one created since."""
    try:
        return os.path.samestat(path.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False
