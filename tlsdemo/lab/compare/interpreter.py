"""The Python that an environment is made with."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.tool import Tool
from tlsdemo.lab.compare.tool_errors import complaint

# It has to be understood by any Python there ever was, so that one that is too old can be told.
_QUESTION = """\
import sys, json, platform, sysconfig
print(json.dumps([
    platform.python_version(), sysconfig.get_platform(), getattr(sys, "base_prefix", sys.prefix)
]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python: the path of its program, its version, its platform and where it is installed."""

    path: str
    version: str
    platform: str
    prefix: str


def interpreter(
    name: str | None, least: tuple[int, int], tool: Tool, variables: Mapping[str, str]
) -> Interpreter:
    """Find out which Python ``name`` is: a path, a program's name, or a version such as 3.12.

    ``None`` is the one that runs us.  Raises Unattainable if there is none, or it is older than
    ``least``.
    """
    path = _path(name)
    done = tool([path, "-c", _QUESTION], variables)
    try:
        version, platform, prefix = json.loads(done.said.strip().rpartition("\n")[2])
    except ValueError:
        # The first line is what a stand-in says that leads nowhere; what follows is its advice.
        first = complaint(done.said.strip().partition("\n")[0])
        raise Unattainable(f"that is no Python that works: {first}") from None
    numbers = tuple(int(each) for each in re.findall(r"\d+", version)[:2])
    if numbers < least:
        wanted = ".".join(map(str, least))
        raise Unattainable(f"that is Python {version}, and tlsdemo needs {wanted} or newer")
    return Interpreter(path, version, platform, prefix)


def _path(name: str | None) -> str:
    if name is None:
        return sys.executable
    program = f"python{name}" if re.fullmatch(r"\d+(\.\d+)*", name) else name
    path = shutil.which(program)
    if path is None:
        raise Unattainable(f"there is no program {program}")
    return path
