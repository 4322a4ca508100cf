"""Which objects of a connection are still there after it, while no cycles are collected."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.protocols import tls

_OURS = ("tlsdemo.", "OpenSSL.SSL")
"""Prefixes of the types that are counted: our own, and those that hold a connection's memory."""

_TWISTEDS = ("twisted.protocols.tls", "twisted.internet.tcp.Server")
"""Twisted's types that our code releases."""

# Twisted before 25 leaves a cycle in its buffering layer, which no other code can break.
_OLD_TWISTED = not hasattr(tls, "_NullAggregator")
_COUNTED = _OURS if _OLD_TWISTED else (*_OURS, *_TWISTEDS)

_HELD = {
    # A bounded cache has those of application data.
    "tlsdemo.trace.record.Record",
    # Part of that cycle under startTLS, but it no longer refers to anything of the connection.
    *(("tlsdemo.tls.observed_tls.ObservedTLS",) if _OLD_TWISTED else ()),
}
"""What others hold."""

MOST_TURNS = 200
"""Turns of the reactor after which an object that is still there stays."""


@contextmanager
def only_new_objects() -> Iterator[None]:
    """Exclude the objects that exist already from counting, which takes long for a whole process.

    Garbage among them is not collected meanwhile.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def existing_objects() -> Counter[str]:
    """Count the objects of connections by type."""
    found: Counter[str] = Counter()
    for each, count in Counter(map(type, gc.get_objects())).items():
        name = f"{each.__module__}.{each.__qualname__}"
        if name.startswith(_COUNTED) and name not in _HELD:
            found[name] += count
    return found


async def leaked_by(use: Callable[[], Awaitable[object]]) -> Counter[str]:
    """Return which objects stay after ``use``, when it has been used once before.

    The collector is off meanwhile, so that reference cycles stay.
    """
    await use()
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        before = existing_objects()
        await use()
        leaked = existing_objects() - before
        # What the network has still to end, on a busy machine, is no leak.
        for _ in range(MOST_TURNS):
            if not leaked:
                break
            await turn()
            leaked = existing_objects() - before
        return leaked
    finally:
        if was_enabled:
            gc.enable()


def turn() -> Awaitable[None]:
    """Let the reactor run once."""
    return deferLater(reactor, 0.001, lambda: None)
