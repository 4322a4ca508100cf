"""The Python files below a path, and their content, within bounds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

LARGEST = 2_000_000
"""The bytes of the largest file that is read, if nothing else is asked for."""

_SUFFIXES = (".py", ".pyw", ".tac", ".rpy")
"""Python files in a folder; the last two are what twistd and twisted.web execute."""

_NOT_LOOKED_INTO = {"__pycache__", "node_modules"}


class Unreadable(Exception):
    """A path that cannot be read; the message says which, and why."""


def python_files(path: Path, tell: Callable[[str], object]) -> Iterator[Path]:
    """Yield the file, or the Python files in the folder, sorted.

    Left out are folders whose name begins with a dot, virtualenvs, and what tools have made.
    ``tell`` is given a line for each folder that cannot be read.

    Raises:
        Unreadable: If there is no such path.
    """
    try:
        is_folder = S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as problem:
        raise Unreadable(f"{str(path)!r}: {_reason(problem)}") from None
    if not is_folder:
        yield path
        return

    def skip(problem: OSError) -> None:
        tell(f"{str(problem.filename)!r}: {_reason(problem)}")

    for folder, folders, files in os.walk(path, onerror=skip):
        folders[:] = sorted(name for name in folders if _is_looked_into(Path(folder, name)))
        for name in sorted(files):
            if name.endswith(_SUFFIXES):
                yield Path(folder, name)


def content_of(path: Path, largest: int = LARGEST) -> bytes:
    """Return the content of a file of at most ``largest`` bytes.

    Raises:
        Unreadable: If it is larger, a notebook, no regular file, or cannot be read.
    """
    if path.suffix == ".ipynb":
        raise Unreadable(
            f"{str(path)!r} is a notebook, not Python; scan what this writes: jupyter nbconvert "
            "--to script"
        )
    try:
        if not S_ISREG(path.stat().st_mode):
            raise Unreadable(f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as problem:
        raise Unreadable(f"{str(path)!r}: {_reason(problem)}") from None
    if len(content) > largest:
        raise Unreadable(f"{str(path)!r} has more than {largest:,} bytes (see --largest)")
    return content


def _is_looked_into(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name in _NOT_LOOKED_INTO:
        return False
    # Not Path.exists, which raises an error if the folder cannot be searched.
    return not os.path.exists(folder / "pyvenv.cfg")


def _reason(problem: OSError | ValueError) -> str:
    return (getattr(problem, "strerror", None) or str(problem)).lower()
