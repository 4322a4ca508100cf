"""The garbage collector of a server's process.

Python looks at new objects after every 700 or 2000 of them, which is every few dozen connections,
and at all objects whenever they have become a quarter more: with many connections, that is a
twentieth of a handshake's CPU time.  It is nearly all in vain, as connections end without reference
cycles (``tests.proxy.test_memory_leaks`` holds them to that, with the collector off).  What Twisted
or Python leave in cycles all the same is still found, only later.
"""

from __future__ import annotations

import gc

_COLLECT_AFTER = 10_000
"""Objects after which the garbage collector looks at the new ones: some hundred connections."""


def collect_rarely() -> None:
    """Have garbage collected rarely, in a process that is a server's alone.

    It is for the whole process, so only the programs call it, never the library.  What there is
    now, such as modules, is not looked at any more.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
