"""PURE.  A rule: something in source code that is known to go wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tlsdemo.scan.python_source import PythonSource

Spot = ast.expr | ast.stmt
"""A node that has a line and a column."""

Check = Callable[[PythonSource], Iterator[tuple[Spot, str]]]
"""Yields each place where a rule is broken, and what is wrong there, in one clause."""


@dataclass(frozen=True)
class Rule:
    """Something that is known to go wrong.

    Attributes:
        name: Lower-case words, joined with hyphens.
        title: What is looked for, in one sentence.
        why: What happens, in one or two sentences.
        cure: What to do, in one sentence.
        finding: The name of the finding that shows it happen; empty if there is none.
        words: Without any of these in a file, it is not found there: most files have none, and
            are not even parsed.
        check: Finds it.
        bad: A module in which it is found, once.
        good: The same done right: nothing is found.
    """

    name: str
    title: str
    why: str
    cure: str
    finding: str
    words: tuple[str, ...]
    check: Check
    bad: str
    good: str
