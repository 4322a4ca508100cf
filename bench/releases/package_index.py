"""The package index: which releases there are, as pip says, and which fit together, as uv does.

pip can resolve versions as well, but a resolution takes it half a minute on a busy machine.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from tempfile import NamedTemporaryFile

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import TLS_PACKAGES, isolated
from tlsdemo.lab.compare.requirements import check_supported, normalized, parse_requirements
from tlsdemo.lab.compare.source_tree import dependencies
from tlsdemo.lab.compare.tool import Tool, execute
from tlsdemo.lab.compare.tool_errors import error_line

Pins = Mapping[str, str]
"""The versions of some of `TLS_PACKAGES`, by normalized name."""

ANSWER_WITHIN = 300.0
"""Seconds that pip or uv may take to answer."""

_NAMES = [normalized(name) for name in TLS_PACKAGES]
_PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)$", re.MULTILINE)

_COMPILE = ("--no-header", "--no-annotate", "--quiet")


class PackageIndex:
    """Asks pip and uv; ``tool`` runs them, for tests."""

    def __init__(self, tool: Tool | None = None) -> None:
        self._tool = tool or (lambda command, env: execute(command, env, ANSWER_WITHIN))
        self._fitting: dict[str, dict[str, str] | ComparisonError] = {}

    def latest(self, package: str, count: int) -> list[str]:
        """Return the last ``count`` releases that this Python can have, the newest first.

        Raises:
            ComparisonError: If there is none, or no package index.
        """
        said = self._said([sys.executable, "-m", "pip", "index", "versions", package])
        found = re.search(r"^Available versions: (.+)$", said, re.MULTILINE)
        if found is None:
            raise ComparisonError(f"no releases of {package}: {error_line(said)}")
        return found[1].strip().split(", ")[:count]

    def fitting(self, pins: Pins) -> dict[str, str]:
        """Return the versions of `TLS_PACKAGES` with these ``pins``; the others are the newest.

        Raises:
            ComparisonError: If they do not fit together, or tlsdemo does not support one.
        """
        text = requirements_text(pins)
        if text not in self._fitting:
            try:
                self._fitting[text] = self._resolved(text)
            except ComparisonError as problem:
                self._fitting[text] = problem
        found = self._fitting[text]
        if isinstance(found, ComparisonError):
            raise found
        return found

    def _resolved(self, text: str) -> dict[str, str]:
        needed = dependencies()
        check_supported(parse_requirements(text), needed)
        uv = shutil.which("uv")
        if uv is None:
            raise ComparisonError("there is no program uv; pip install uv")
        wanted = [*text.split(), *(each.text for each in needed)]
        with NamedTemporaryFile("w", suffix=".in", encoding="utf-8") as file:
            file.write("\n".join(wanted))
            file.flush()
            said = self._said(
                [uv, "pip", "compile", *_COMPILE, "--python", sys.executable, file.name]
            )
        versions = dict(_PINNED.findall(said))
        if not set(_NAMES) <= set(versions):
            raise ComparisonError(error_line(said))
        return {name: versions[name] for name in _NAMES}

    def _said(self, command: list[str]) -> str:
        return self._tool(command, isolated(os.environ)).said


def requirements_text(pins: Pins) -> str:
    """Return the requirements of these versions, as for ``--against``."""
    return " ".join(f"{name}=={version}" for name, version in sorted(pins.items()))
