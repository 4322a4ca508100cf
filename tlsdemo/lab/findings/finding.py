"""What a finding is, and what a reproduction of it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlsdemo.lab.findings.testbed import Testbed

TICKET = "https://github.com/twisted/twisted/issues/"
"""Where Twisted's tickets are; a number follows."""

_DEADLINE = 6.0

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


class Verdict(Enum):
    """What a reproduction found out about the versions at hand."""

    STILL_SO = "still so"
    NO_LONGER_SO = "no longer so"
    NOT_YET_SO = "not yet so"
    """Not so, with versions that are older than the first in which it is."""
    UNKNOWN = "cannot tell"


class CannotTell(Exception):
    """A reproduction came to no verdict; the text is one line that says why."""


@dataclass(frozen=True)
class Evidence:
    """What a reproduction saw.

    Attributes:
        verdict: What it says of the finding.
        seen: Lines: measured values, and events in their order.
        reason: One line that says why there is no verdict; empty if there is one.
    """

    verdict: Verdict
    seen: tuple[str, ...]
    reason: str = ""


def evidence(holds: bool, *seen: str) -> Evidence:
    """Return the evidence that a finding ``holds``, or that it does not."""
    return Evidence(Verdict.STILL_SO if holds else Verdict.NO_LONGER_SO, seen)


@dataclass(frozen=True)
class Span:
    """The versions that a finding holds for.

    Attributes:
        library: Whose versions they are, as :func:`tlsdemo.tls.versions` names it.
        since: The first in which it is so; empty if it is so in the oldest that tlsdemo supports.
        until: The first in which it is so no more; empty if there is none yet.
    """

    library: str = "Twisted"
    since: str = ""
    until: str = ""

    def verdict(self, versions: Mapping[str, str]) -> Verdict:
        """Return what is to be expected with ``versions``, each under its library's name."""
        ours = _numbers(versions[self.library])
        if self.since and ours < _numbers(self.since):
            return Verdict.NOT_YET_SO
        if self.until and ours >= _numbers(self.until):
            return Verdict.NO_LONGER_SO
        return Verdict.STILL_SO

    def __str__(self) -> str:
        if self.since and self.until:
            return f"{self.library} from {self.since} until before {self.until}"
        if self.since:
            return f"{self.library} from {self.since}"
        if self.until:
            return f"{self.library} before {self.until}"
        return "all that tlsdemo supports, until now"


ALL = Span()
"""In the oldest versions that tlsdemo supports, and in the newest that it was tried with."""

Reproduction = Callable[["Testbed"], Coroutine[Any, Any, Evidence]]


@dataclass(frozen=True)
class Finding:
    """Something that stock Twisted or pyOpenSSL does, and that surprises.

    Attributes:
        name: Words in lower case, joined with hyphens.
        title: One sentence.
        paragraph: What happens, why it matters and what to do, in plain words.
        reproduce: Makes it happen on loopback.
        span: The versions that it holds for.
        ticket: The address of the ticket about it upstream; empty if none is known.
        deadline: Seconds that the reproduction may take.
    """

    name: str
    title: str
    paragraph: str
    reproduce: Reproduction
    span: Span = ALL
    ticket: str = ""
    deadline: float = _DEADLINE

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the finding's name {self.name!r} is no words joined with hyphens")

    def judged(self, evidence: Evidence, versions: Mapping[str, str]) -> Evidence:
        """Return ``evidence`` with the verdict that is right for ``versions``.

        That something is not so is nothing of the past if it only came later.
        """
        not_yet = self.span.verdict(versions) is Verdict.NOT_YET_SO
        if not_yet and evidence.verdict is Verdict.NO_LONGER_SO:
            return Evidence(Verdict.NOT_YET_SO, evidence.seen)
        return evidence


def _numbers(version: str) -> tuple[int, ...]:
    # "OpenSSL 4.0.3 29 Sep 2026" as well as "26.10.0" and "26.10.0rc1".
    found = re.search(r"\d+(\.\d+)*", version)
    if found is None:
        raise ValueError(f"{version!r} has no version number")
    return tuple(map(int, found.group().split(".")))
