"""The garbage collector of a server's process."""

from __future__ import annotations

import gc

_COLLECT_AFTER = 10_000
"""Objects after which the garbage collector looks at the new ones: some hundred connections."""


def collect_rarely() -> None:
    """Have garbage collected rarely, in a process that is a server's alone.

    Its connections end without cycles, so to look for some after every few of them is in vain; and
    what there is now remains.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
