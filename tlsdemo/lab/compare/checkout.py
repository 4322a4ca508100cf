"""A checkout in ``--against``: a folder, or a branch or commit in it.

``./twisted`` is what is in that folder now, changes that are not committed included.
``./twisted@trunk`` is what that branch has committed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.tool import Done, Tool, execute
from tlsdemo.lab.compare.tool_errors import error_line

GIT_TIMEOUT = 60.0
"""Seconds that git may take to find a commit."""

_FOLDER = ("./", "../", "/", "~")
_NAME = re.compile(r"""^\s*name\s*=\s*["']?([A-Za-z0-9._-]+)""", re.MULTILINE)
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OF_A_REPOSITORY = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE"),
}
"""Variables that git sets for its hooks: with them it uses that repository, whatever the folder."""

_SKIPPED = {".git", ".venv", "__pycache__", "build", "dist", "_trial_temp"}


def is_checkout(text: str) -> bool:
    """Return whether ``text``, one of the requirements in ``--against``, names a folder."""
    return text.startswith(_FOLDER) or text in (".", "..")


def requirement_of(text: str, cache: Path, tool: Tool | None = None) -> str:
    """Return the requirement, as for pip, of a folder such as ``./twisted`` or of a commit in it.

    A commit is packed into an archive in the folder ``cache``, which is created if necessary.
    ``tool`` runs git; for tests.

    Raises:
        ComparisonError: If there is no such folder or commit, or no package in it.
    """
    place, at, revision = text.partition("@")
    folder = Path(place).expanduser().absolute().resolve()
    if not folder.is_dir():
        raise ComparisonError(f"there is no folder {place}")
    for path in (folder, cache):
        if re.search(r"\s", str(path)):
            raise ComparisonError(f"the path {str(path)!r} has a space, which pip does not take")
    name = _package_name(folder)
    if not at:
        return f"{name}@file://{folder}#state={_state(folder)}"
    commit = _commit(folder, revision, tool or _run_git)
    return f"{name}@file://{_archive(folder, name, commit, cache, tool or _run_git)}"


def _package_name(folder: Path) -> str:
    for file in ("pyproject.toml", "setup.cfg"):
        try:
            found = _NAME.search((folder / file).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if found:
            return found[1]
    raise ComparisonError(
        f"{folder} is no checkout of a package: no pyproject.toml or setup.cfg in it has a name"
    )


def _commit(folder: Path, revision: str, tool: Tool) -> str:
    if not _REVISION.fullmatch(revision):
        raise ComparisonError(f"{revision!r} is not the name of a branch or commit")
    command = ["git", "-C", str(folder), "rev-parse", "--verify", f"{revision}^{{commit}}"]
    done = tool(command, os.environ)
    commit = done.said.strip().rpartition("\n")[2]
    if done.status or not _COMMIT.fullmatch(commit):
        raise ComparisonError(f"{folder} has no branch or commit {revision}")
    return commit


def _archive(folder: Path, name: str, commit: str, cache: Path, tool: Tool) -> Path:
    """Return an archive of ``commit``: pip of older versions does not clone from a folder."""
    archive = cache / f"{name}-{commit}.zip"
    try:
        if not archive.exists():
            _pack(folder, name, commit, archive, tool)
    except OSError as problem:
        raise ComparisonError(f"{cache} cannot keep archives: {problem.strerror}") from None
    return archive


def _pack(folder: Path, name: str, commit: str, archive: Path, tool: Tool) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.parent / f".{archive.name}.{os.getpid()}"
    try:
        done = tool(
            [
                *("git", "-C", str(folder), "archive", "--format=zip"),
                *(f"--prefix={name}/", f"--output={partial}", commit),
            ],
            os.environ,
        )  # fmt: skip
        if done.status:
            raise ComparisonError(f"git cannot pack {commit[:12]}: {error_line(done.said)}")
        partial.replace(archive)
    finally:
        # What an interruption has left.
        partial.unlink(missing_ok=True)


def _run_git(arguments: Sequence[str], variables: Mapping[str, str]) -> Done:
    kept = {name: text for name, text in variables.items() if name not in _OF_A_REPOSITORY}
    return execute(arguments, kept, GIT_TIMEOUT)


def _state(folder: Path) -> str:
    """Return a hash of which files there are, how long they are, and when they were changed.

    With it in the requirement, an environment is built anew after a change.
    """
    digest = hashlib.sha256()
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not _is_skipped(each))
        for name in sorted(files):
            path = Path(root, name)
            status = path.lstat()
            line = f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _is_skipped(name: str) -> bool:
    return name in _SKIPPED or name.endswith(".egg-info")
