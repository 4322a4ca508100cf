"""A command of tlsdemo, run in another environment for its result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tlsdemo.lab.compare.environment_builder import variables
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.tool import execute

# As ``python -m tlsdemo``, but a tlsdemo in the folder where the command is run is not meant.
_TLSDEMO = """\
import sys
sys.path[:] = filter(None, sys.path)
from tlsdemo.cli.main import main
sys.exit(main())
"""


def run_there(environment: Environment, arguments: Sequence[str], timeout: float) -> Any:
    """Run ``tlsdemo`` with ``arguments`` there, and return what its JSON on standard output says.

    Its standard error goes to ours.  An exit status other than 0 is no problem as long as there is
    JSON: it may say that an expectation does not hold.  Raises Unattainable if there is none, or
    it takes more than ``timeout`` seconds.
    """
    command = [str(environment.python), "-c", _TLSDEMO, *arguments]
    done = execute(command, variables(environment), timeout, errors_apart=True)
    try:
        return json.loads(done.said)
    except ValueError:
        what = f"tlsdemo {arguments[0] if arguments else ''}".rstrip()
        raise Unattainable(
            f"{what} gave no result in {environment.key}: it ended with status {done.status}"
        ) from None
