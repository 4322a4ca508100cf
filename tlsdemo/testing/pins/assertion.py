"""The assertion that what is seen of a protocol is as pinned, for any test framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.testing.pins.loopback_observation import observe_on_loopback
from tlsdemo.testing.pins.memory_observation import observe_in_memory
from tlsdemo.testing.pins.pin import BadPin, Pin, check
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.trace.model import End, Trace


def assert_events(
    factory: Any,
    scenario: str,
    pin: Path,
    *,
    client: bool = False,
    reactor: Any = None,
    update: bool | None = None,
    **more: Any,
) -> Deferred[None] | None:
    """Put a protocol through a scenario, and compare what is seen with the file ``pin``.

    ``update``: whether to write the file anew.  The rest is as for `EventPins.assertEvents`.
    """
    subject = Subject(factory, End.CLIENT if client else End.SERVER, **more)
    if reactor is None:
        _compare(observe_in_memory(subject, scenario), pin, update)
        return None
    seen = Deferred.fromCoroutine(observe_on_loopback(reactor, subject, scenario))
    return seen.addCallback(_compare, pin, update)


def _compare(trace: Trace, path: Path, update: bool | None) -> None:
    try:
        problem = check(Pin(trace), path, update)
    except BadPin as bad:
        problem = str(bad)
    if problem:
        raise AssertionError(problem)
