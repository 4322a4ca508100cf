"""Options that contradict each other, or have no effect beside others: tables, and their check.

A command checks its table when all options have been parsed, before any work begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.python import usage

from tlsdemo.cli.options import Options


@dataclass(frozen=True)
class Contradiction:
    """Options that cannot be given if ``holds``.

    ``given``: their long names, separated by spaces; only those on the command line count.
    ``because``: the rest of the sentence: what they contradict, and what to do.  The values of
    other options can be written in it, as in ``{mode}``.
    """

    given: str
    holds: Callable[[Options], object]
    because: str


def check(options: Options, table: Sequence[Contradiction]) -> None:
    """Raise UsageError with the option, its value and the cure for the first contradiction."""
    values = dict(options.given())
    for each in table:
        for name in each.given.split():
            if name in values and each.holds(options):
                value = values[name]
                is_flag = f"{name}=" not in options.longOpt
                what = "given" if is_flag else repr(value)
                raise usage.UsageError(f"--{name} is {what}, {each.because.format(**values)}")


def sets(name: str, *values: str) -> Callable[[Options], bool]:
    """Return a condition: this option is on the command line, with none of these values."""
    return lambda options: any(
        option == name and value not in values for option, value in options.given()
    )


def lacks(*names: str) -> Callable[[Options], bool]:
    """Return a condition: none of these options is on the command line."""
    return lambda options: not any(options.is_given(name) for name in names)
