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

# Like ``python -m tlsdemo``, except that a tlsdemo in the current directory is not imported.
_TLSDEMO = """\
import sys
sys.path[:] = filter(None, sys.path)
from tlsdemo.cli.main import main
sys.exit(main())
"""


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
    try:
        return json.loads(done.said)
    except ValueError:
        name = f"tlsdemo {arguments[0] if arguments else ''}".rstrip()
        raise ComparisonError(
            f"{name} gave no result in {where}: it ended with status {done.status}"
        ) from None
