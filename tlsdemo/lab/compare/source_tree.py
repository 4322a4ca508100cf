"""The running tlsdemo: its dependencies, and how other environments import it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.requirements import Requirement, parse_requirements

PACKAGE = Path(__file__).resolve().parents[2]
_PLUGIN = Path("twisted", "plugins", "tlsdemo_plugin.py")


def dependencies(package: Path = PACKAGE) -> list[Requirement]:
    """Return the dependencies of tlsdemo: those in setup.cfg, or those of the installed package.

    A checkout takes precedence, because an older tlsdemo may be installed as well.
    """
    config = _checkout(package)
    if config is not None:
        return _requirements(config["options"]["install_requires"].splitlines())
    return _requirements(_installed().requires or [])


def oldest_python(package: Path = PACKAGE) -> tuple[int, int]:
    """Return the oldest version of Python that tlsdemo supports."""
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
        raise ComparisonError(
            "the dependencies of tlsdemo are not known: it is neither installed nor in its checkout"
        ) from None


def _requirements(lines: Iterable[str]) -> list[Requirement]:
    # Those with a marker belong to extras.
    wanted = [line for line in lines if line.strip() and ";" not in line]
    return [each for line in wanted for each in parse_requirements(line)]


def link_into(environment: Path, package: Path = PACKAGE) -> Path:
    """Return a folder that, on the PYTHONPATH of ``environment``, adds only the running tlsdemo.

    The folder that contains the package cannot be used itself: if it is site-packages, its
    Twisted would shadow the environment's.  The folder consists of symbolic links, so it is never
    out of date.  It is in the environment, because Twisted writes its plugin cache beside the
    plugin, and different versions of Twisted must not share it.
    """
    plugin = package.parent / _PLUGIN
    if not plugin.is_file():
        raise ComparisonError(f"tlsdemo's plugin for twistd is missing: {plugin}")
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
        return
