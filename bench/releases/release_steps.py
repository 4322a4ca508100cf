"""PURE.  The steps from one release to the next, and what each is compared beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tlsdemo.lab.compare.comparison_error import ComparisonError

Fitting = Callable[[Mapping[str, str]], dict[str, str]]
"""Returns the versions of all packages with some pinned; raises ComparisonError if none fit."""


@dataclass(frozen=True)
class Step:
    """A step of a package from a release to the next.

    Attributes:
        package: Its normalized name.
        older: The release before.
        newer: The release after.
        before: The versions of all packages with the older one.
        after: The versions with the newer one; other packages are as before if that is possible.
        problem: Why the step cannot be compared; then there are no versions.
    """

    package: str
    older: str
    newer: str
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def release_steps(package: str, newest_first: Sequence[str], fitting: Fitting) -> Iterator[Step]:
    """Find the steps between neighbours, the newest first.

    The other packages stay as they are from step to step, as long as they fit both releases; then
    they are the newest that fit the older one, for both if possible.
    """
    current: dict[str, str] | None = None
    for newer, older in pairwise(newest_first):
        try:
            after = current or fitting({package: newer})
            before, after = _neighbours(package, (older, newer), after, fitting)
        except ComparisonError as problem:
            yield Step(package, older, newer, problem=str(problem))
            current = None
        else:
            yield Step(package, older, newer, before, after)
            current = before


def _neighbours(
    package: str, releases: tuple[str, str], after: dict[str, str], fitting: Fitting
) -> tuple[dict[str, str], dict[str, str]]:
    older, newer = releases
    try:
        return fitting({**after, package: older}), after
    except ComparisonError:
        before = fitting({package: older})
    try:
        return before, fitting({**before, package: newer})
    except ComparisonError:
        return before, after
