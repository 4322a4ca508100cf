"""The resource limits of this process."""

from __future__ import annotations

import resource
from collections.abc import Callable

Limits = tuple[int, int]

RESERVED = 64
"""File descriptors that a process needs besides those of its connections."""


def connections_possible(limit: int, descriptors: int) -> int:
    """Return how many connections a process can have, of so many ``descriptors`` each; at least 1.

    ``limit``: how many file descriptors the process may open.
    """
    return max(1, (limit - RESERVED) // descriptors)


def raise_descriptor_limit(
    get: Callable[[int], Limits] = resource.getrlimit,
    set_: Callable[[int, Limits], None] = resource.setrlimit,
) -> int:
    """Raise the soft limit of open file descriptors to the hard limit (setrlimit(2)); return it.

    If the system does not allow that, return the limit as it is.
    """
    soft, hard = get(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        set_(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        return soft
    return hard
