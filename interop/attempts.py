"""What a test tries with foreign peers: declared by the test, and completed while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from unittest import TestSuite

from twisted.trial.runner import TestLoader

from interop.catalogue import PEERS

_Test = TypeVar("_Test", bound=Callable[..., Any])


class Part(NamedTuple):
    """The part that tlsdemo has in a test: proxy, server or client; a dialect, and a mode."""

    role: str
    dialect: str
    mode: str


@dataclass(frozen=True)
class Attempt:
    """What a test declares: what is done, with which peers, and parts that it does not start."""

    what: str
    peers: tuple[str, ...]
    parts: tuple[Part, ...]


def tried(what: str, *peers: str, parts: tuple[Part, ...] = ()) -> Callable[[_Test], _Test]:
    """Declare what a test does, for docs/interoperability.md.

    The dialects and modes are noted by `interop.peers.InteropCase`, which starts tlsdemo.

    Args:
        what: What is done, as it stands in a table.
        peers: The names of the peers in `PEERS`, those that the row is about first.
        parts: What tlsdemo does, if the test does not start it by an `InteropCase`.
    """
    for name in peers:
        PEERS[name]

    def declare(test: _Test) -> _Test:
        test.attempt = Attempt(what, peers, parts)  # type: ignore[attr-defined]
        return test

    return declare


def attempt_of(test: Any) -> Attempt | None:
    """Return what a test of trial declares, if it declares something."""
    # trial hands a test that is skipped to the reporter in an adapter.
    test = getattr(test, "_originalTest", test)
    return getattr(getattr(test, test._testMethodName), "attempt", None)


def attempts() -> dict[str, Attempt | None]:
    """Return what each test of this package declares, by the test's name."""
    suite = TestLoader().loadByName("interop", recurse=True)
    return {test.id(): attempt_of(test) for test in _tests(suite)}


def _tests(suite: Any) -> Iterator[Any]:
    if not isinstance(suite, TestSuite):
        yield suite
        return
    for each in suite:
        yield from _tests(each)
