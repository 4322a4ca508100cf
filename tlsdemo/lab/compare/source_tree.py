"""The tlsdemo that runs: what it depends on, and how it is lent to another environment."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.requirements import Requirement, read

_PACKAGE = Path(__file__).resolve().parents[2]
_PLUGIN = Path("twisted", "plugins", "tlsdemo_plugin.py")


def dependencies(package: Path = _PACKAGE) -> list[Requirement]:
    """Return what tlsdemo needs to run: from setup.cfg in a checkout, or as it was installed.

    A checkout comes first: an older tlsdemo may be installed beside it.
    """
    config = _checkout(package)
    if config is not None:
        return _requirements(config["options"]["install_requires"].splitlines())
    return _requirements(_installed().requires or [])


def least_python(package: Path = _PACKAGE) -> tuple[int, int]:
    """Return the oldest Python that tlsdemo runs with."""
    config = _checkout(package)
    if config is None:
        text = _installed().metadata["Requires-Python"] or ""
    else:
        text = config["options"]["python_requires"]
    match = re.search(r">=\s*(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (3, 0)


def _checkout(package: Path) -> ConfigParser | None:
    config = ConfigParser()
    config.read(package.parent / "setup.cfg", encoding="utf-8")
    return config if config.get("metadata", "name", fallback="") == "tlsdemo" else None


def _installed() -> metadata.Distribution:
    try:
        return metadata.distribution("tlsdemo")
    except metadata.PackageNotFoundError:
        raise Unattainable(
            "what tlsdemo depends on is not known: it is neither installed nor in its checkout"
        ) from None


def _requirements(lines: Iterable[str]) -> list[Requirement]:
    # What has a marker is one of the extras.
    wanted = [line for line in lines if line.strip() and ";" not in line]
    return [each for line in wanted for each in read(line)]


def lend(environment: Path, package: Path = _PACKAGE) -> Path:
    """Return a folder that, put on the path of Python, adds the tlsdemo that runs, nothing else.

    The folder that holds the package cannot be lent itself: where tlsdemo is installed, Twisted
    and all the others lie beside it, and would stand in for those of the environment.  Links are
    made instead, so what is there is always what is here.  They are kept in the ``environment``,
    so that the cache of plugins, which Twisted writes beside the plugin, is of its Twisted alone.
    """
    plugin = package.parent / _PLUGIN
    if not plugin.is_file():
        raise Unattainable(f"tlsdemo's plugin for twistd is missing: {plugin}")
    digest = hashlib.sha256(os.fsencode(package)).hexdigest()[:8]
    folder = environment / f"tlsdemo-{digest}"
    (folder / _PLUGIN).parent.mkdir(parents=True, exist_ok=True)
    _link(folder / "tlsdemo", package)
    _link(folder / _PLUGIN, plugin)
    return folder


def _link(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except FileExistsError:
        # From the last time; the folder's name holds the target.
        return
