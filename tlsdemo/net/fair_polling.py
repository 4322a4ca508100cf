"""Serving all connections of a reactor in turn, whoever became readable first.

Theory of operation.  epoll(7) keeps a list of what is ready.  What it has reported goes back to the
end of the list at once, in case there is more.  Twisted asks for everything that is ready.  So
whatever becomes ready meanwhile stands behind all that has just been served: under load it waits
for the rest of this turn and for all of the next one.  If the reactor asks for a few at a time, it
waits for each of the others once.  Timers are looked at more often, too.
"""

from __future__ import annotations

import select
from typing import Any

MOST = 64
"""Descriptors that are served between two looks at what is ready: some milliseconds of work."""


class _FairPoller:
    """A poller that reports at most so many descriptors at once."""

    def __init__(self, poller: Any, most: int) -> None:
        self._poller = poller
        self._most = most
        self.register, self.modify, self.unregister = (
            poller.register,
            poller.modify,
            poller.unregister,
        )

    def poll(self, timeout: float, most: int) -> Any:
        return self._poller.poll(timeout, min(most, self._most))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


def serve_in_turn(reactor: Any, most: int = MOST) -> None:
    """Have ``reactor`` serve at most so many descriptors before it looks again, if it is epoll's.

    Other reactors are left as they are, and so is one whose private name for its poller has
    changed.
    """
    poller = getattr(reactor, "_poller", None)
    if isinstance(poller, getattr(select, "epoll", ())):
        reactor._poller = _FairPoller(poller, most)
