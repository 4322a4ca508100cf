"""Runs a tlsdemo command in a candidate environment, for its result."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import environment_variables
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.source_tree import PACKAGE
from tlsdemo.lab.compare.tool import execute

# Like ``python -m tlsdemo``, except that a tlsdemo in the current directory is not imported, that
# we tell of an interruption, and that a crash, as of an import, is the last line of what it prints.
_TLSDEMO = """\
import sys
sys.path[:] = filter(None, sys.path)
try:
    from tlsdemo.cli.interruption import ENDING, interrupted_by
    with interrupted_by(*ENDING):
        from tlsdemo.cli.main import main; status = main()
except KeyboardInterrupt:
    status = 130
except Exception as problem:
    import json, traceback
    last = traceback.extract_tb(problem.__traceback__)[-1]
    text = f"{type(problem).__name__}: {problem}, in {last.filename}, line {last.lineno}"
    print("\\n" + json.dumps({"tlsdemo crashed": " ".join(text.split())}))
    status = 70
sys.exit(status)
"""

_CRASHED, _CRASH = 70, "tlsdemo crashed"
"""The exit status of a crash, EX_SOFTWARE of sysexits.h, and the name of what it says."""


def run_candidate(environment: Environment, arguments: Sequence[str], timeout: float) -> Any:
    """Run ``tlsdemo`` with ``arguments`` in ``environment``, and return the JSON that it prints.

    Its standard error is inherited.  The exit status does not matter as long as there is JSON: it
    may say that an expectation was not met.

    Raises:
        ComparisonError: If there is no JSON, or if it takes more than ``timeout`` seconds.
    """
    variables = environment_variables(environment)
    return _result(str(environment.python), variables, arguments, timeout, environment.key)


def run_here(arguments: Sequence[str], timeout: float) -> Any:
    """Run ``tlsdemo`` with ``arguments`` in a new process with the installed versions.

    Otherwise as `run_candidate`.
    """
    path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    return _result(sys.executable, variables, arguments, timeout, "the installed versions")


def _result(
    python: str, variables: Mapping[str, str], arguments: Sequence[str], timeout: float, where: str
) -> Any:
    done = execute([python, "-c", _TLSDEMO, *arguments], variables, timeout, errors_apart=True)
    name = f"tlsdemo {arguments[0] if arguments else ''}".rstrip()
    result = _json(done.said)
    crash = _json(done.said.strip().rpartition("\n")[2]) if done.status == _CRASHED else None
    if isinstance(crash, dict) and _CRASH in crash:
        raise ComparisonError(f"{name} crashed in {where}: {crash[_CRASH]}")
    if result is None:
        raise ComparisonError(
            f"{name} gave no result in {where}: it ended with status {done.status}"
        )
    return result


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
