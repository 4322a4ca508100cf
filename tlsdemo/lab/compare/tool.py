"""Another program, run to its end: its output is kept, and it leaves nobody behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tlsdemo.lab.compare.comparison_error import ComparisonError

REPORT_EVERY = 10.0
"""Seconds after which it is told again that a program still runs."""


@dataclass(frozen=True)
class Done:
    """What a program left: its exit status, and what it printed."""

    status: int
    said: str


Tool = Callable[[Sequence[str], Mapping[str, str]], Done]
"""Runs a program with those arguments and that environment, and returns what it left."""


def execute(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    timeout: float,
    *,
    folder: Path | None = None,
    errors_apart: bool = False,
    waiting: Callable[[float], object] = lambda _: None,
) -> Done:
    """Run a program for at most ``timeout`` seconds, in ``folder`` if that is given.

    Its errors are in what it said, or go to our standard error if they are to be ``apart``.
    ``waiting`` is told every `REPORT_EVERY` seconds how many have gone by.  Raises ComparisonError
    if it cannot be started or takes too long.
    """
    try:
        # With all that it starts it is a group of its own, which can be ended as one; Ctrl-C
        # reaches us alone.
        process = subprocess.Popen(
            list(arguments), env=variables, cwd=folder, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=None if errors_apart else subprocess.STDOUT,
        )  # fmt: skip
    except OSError as problem:
        raise ComparisonError(f"cannot start {arguments[0]}: {problem.strerror}") from None
    try:
        said = _output(process, arguments[0], timeout, waiting)
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    return Done(process.returncode, said.decode(errors="replace"))


def _output(
    process: subprocess.Popen[bytes],
    name: str,
    timeout: float,
    waiting: Callable[[float], object],
) -> bytes:
    waited = 0.0
    while True:
        timeouts = min(REPORT_EVERY, timeout - waited)
        try:
            said, _ = process.communicate(timeout=timeouts)
            return said
        except subprocess.TimeoutExpired:
            waited += timeouts
            if waited >= timeout:
                raise ComparisonError(f"{name} did not end within {timeout:.0f} s") from None
            waiting(waited)
