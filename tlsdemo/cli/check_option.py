"""``--check``: what has to hold of a load, for the commands that judge one."""

from __future__ import annotations

from typing import ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options
from tlsdemo.reporting.objectives import BadObjective, Objective, objectives
from tlsdemo.reporting.probe_result import PROBE


def wanted(text: str) -> list[Objective]:
    """Read objectives."""
    try:
        return objectives(text)
    except BadObjective as problem:
        raise ValueError(str(problem)) from None


def wanted_of_windows(text: str) -> list[Objective]:
    """Read objectives that can be judged as soon as a window is over."""
    read = wanted(text)
    for each in read:
        if each.of_the_whole:
            raise ValueError(
                f"{each.text!r} is known of the whole load, and not of each window; "
                "give it to --check"
            )
    return read


class CheckOption(Options):
    """A mixin for a command with ``--check``; ``has_probe``: whether it runs a probe."""

    has_probe: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self["check"] = []

    def opt_check(self, text: str) -> None:
        """Set the exit status to 1 unless this holds in every window, or in the last of --find-max.

        Such as 'p99(round-trip)<5ms' or 'lost==0'; in tlsdemo run also 'p99(probe)<5ms'. Can be
        repeated.
        """
        try:
            read = wanted(text)
            if not self.has_probe and any(each.of == PROBE for each in read):
                raise ValueError("and only tlsdemo run has a probe; name another latency")
            self["check"] += read
        except ValueError as problem:
            raise usage.UsageError(f"--check is {text!r}, {problem}") from None
