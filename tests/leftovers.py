"""What is left of objects that nobody uses any more, where no collector comes for rings."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Awaitable, Callable

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.protocols import tls

_OURS = ("tlsdemo.", "OpenSSL.SSL")
"""How the names of our own types begin, and of those that a connection's memory is in."""

_TWISTEDS = ("twisted.protocols.tls", "twisted.internet.tcp.Server")
"""And of those of Twisted's that we help it to let go of."""

_HELD = "tlsdemo.proxy.backend.BackendConnection"
"""Twisted's connector and transport of a client hold each other, and with them the protocol."""

# Twisted before 25 leaves a ring in its buffering layer, where nobody else can reach it.
_COUNTED = (*_OURS, *(_TWISTEDS if hasattr(tls, "_NullAggregator") else ()))


def living() -> Counter[str]:
    """How many objects of connections there are, by their types."""
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    return Counter(name for name in names if name.startswith(_COUNTED) and name != _HELD)


async def left_by(use: Callable[[], Awaitable[object]]) -> Counter[str]:
    """What stays of ``use``, when it has been used once before.

    The collector is off meanwhile: what refers to itself stays.
    """
    await use()
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        before = living()
        await use()
        return living() - before
    finally:
        if was_enabled:
            gc.enable()


def turn() -> Awaitable[None]:
    """Let others have their turn."""
    return deferLater(reactor, 0.001, lambda: None)
