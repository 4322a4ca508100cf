"""How many descriptors this process may have open."""

from __future__ import annotations

import resource
from collections.abc import Callable

Limits = tuple[int, int]


def raise_descriptor_limit(
    get: Callable[[int], Limits] = resource.getrlimit,
    set_: Callable[[int, Limits], None] = resource.setrlimit,
) -> int:
    """Raise the soft limit to the hard one (setrlimit(2)) and return what it is now.

    A system that refuses keeps its limit, which is then returned.
    """
    soft, hard = get(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        set_(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        return soft
    return hard
