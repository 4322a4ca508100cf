"""The Python interpreter of an environment."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.tool import Tool
from tlsdemo.lab.compare.tool_errors import error_line

# Has to run on any Python, so that one that is too old can be reported as such.
_QUERY = """\
import sys, json, platform, sysconfig
print(json.dumps([
    platform.python_version(), sysconfig.get_platform(), getattr(sys, "base_prefix", sys.prefix)
]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter: its executable, its version, its platform, and its base prefix."""

    path: str
    version: str
    platform: str
    prefix: str


def find_interpreter(
    name: str | None, oldest: tuple[int, int], tool: Tool, variables: Mapping[str, str]
) -> Interpreter:
    """Return the interpreter called ``name``: a path, an executable, or a version such as 3.12.

    ``None`` is the interpreter of this process.

    Raises:
        ComparisonError: If there is none, or if it is older than ``oldest``.
    """
    path = _path(name)
    done = tool([path, "-c", _QUERY], variables)
    try:
        version, platform, prefix = json.loads(done.said.strip().rpartition("\n")[2])
        numbers = tuple(int(each) for each in re.findall(r"\d+", version)[:2])
    except (ValueError, TypeError, RecursionError):
        # Wrappers such as pyenv print the error first, and advice after it.
        first = error_line(done.said.strip().partition("\n")[0])
        raise ComparisonError(f"that is not a working Python: {first}") from None
    if numbers < oldest:
        wanted = ".".join(map(str, oldest))
        raise ComparisonError(f"that is Python {version}, and tlsdemo needs {wanted} or newer")
    return Interpreter(path, version, platform, prefix)


def _path(name: str | None) -> str:
    if name is None:
        return sys.executable
    program = f"python{name}" if re.fullmatch(r"\d+(\.\d+)*", name) else name
    path = shutil.which(program)
    if path is None:
        raise ComparisonError(f"there is no program {program}")
    return path
