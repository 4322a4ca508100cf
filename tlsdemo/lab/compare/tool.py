"""Another program, run to its end, whose failure is the failure of the comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.net.command import CommandFailed, run_command


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
    errors_apart: bool = False,
    waiting: Callable[[float], object] = lambda _: None,
    line: Callable[[str], object] = lambda _: None,
) -> Done:
    """Run a program as `run_command` does; raises ComparisonError where that fails."""
    try:
        done = run_command(
            arguments,
            timeout,
            env=variables,
            separate_errors=errors_apart,
            waiting=waiting,
            line=line,
        )
    except CommandFailed as problem:
        raise ComparisonError(str(problem)) from None
    return Done(done.status, done.output)
