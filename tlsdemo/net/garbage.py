"""When Python looks for reference cycles, in a process that does nothing but serve."""

from __future__ import annotations

import gc

_COLLECT_AFTER = 10_000
"""Objects after which the garbage collector looks at the new ones: some hundred connections."""


def collect_rarely() -> None:
    """Look for cycles after many objects only, and never among those that there are now.

    For a process that is the server's alone: its connections end without cycles, so to look for
    some after every few of them is in vain.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
