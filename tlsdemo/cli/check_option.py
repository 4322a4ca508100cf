"""``--check``: what has to hold of a load, for the commands that judge one."""

from __future__ import annotations

from twisted.python import usage

from tlsdemo.cli.options import Options
from tlsdemo.reporting.objectives import BadObjective, Objective, objectives


def wanted(text: str) -> list[Objective]:
    """Read objectives."""
    try:
        return objectives(text)
    except BadObjective as problem:
        raise ValueError(str(problem)) from None


class CheckOption(Options):
    """A mixin for a command with ``--check``."""

    def __init__(self) -> None:
        super().__init__()
        self["check"] = []

    def opt_check(self, text: str) -> None:
        """Set the exit status to 1 unless this holds in every window, or in the last of --find-max.

        Such as 'p99(round-trip)<5ms' or 'lost==0'. Can be repeated.
        """
        try:
            self["check"] += wanted(text)
        except ValueError as problem:
            raise usage.UsageError(f"--check is {text!r}, {problem}") from None
