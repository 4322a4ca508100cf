"""A finding: its description, the affected versions, and its reproduction."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from tlsdemo.lab.findings.testbed import WAIT_TIMEOUT, Testbed
from tlsdemo.reporting.finding_result import Evidence, FindingDescription, Verdict

TICKET = "https://github.com/twisted/twisted/issues/"
"""The address of Twisted's tickets, without the number."""

_TIMEOUT = 6.0

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")


def evidence(holds: bool, *lines: str) -> Evidence:
    """Return the evidence that a finding ``holds``, or that it does not."""
    return Evidence(Verdict.STILL_SO if holds else Verdict.NO_LONGER_SO, lines)


@dataclass(frozen=True)
class AffectedVersions:
    """The versions of one library in which a finding holds.

    Attributes:
        library: The library, by the name that ``versions()`` uses.
        since: The first affected version; empty if the oldest supported one is affected.
        until: The first version that is no longer affected; empty if there is none yet.
        beside: The affected versions of another library, if only both together are.
    """

    library: str = "Twisted"
    since: str = ""
    until: str = ""
    beside: AffectedVersions | None = None

    def verdict(self, versions: Mapping[str, str]) -> Verdict:
        """Return the verdict to expect with these ``versions``, which are keyed by library.

        Raises:
            ValueError: If the library's version contains no number.
        """
        installed = _numbers(versions[self.library])
        if self.until and installed >= _numbers(self.until):
            return Verdict.NO_LONGER_SO
        other = self.beside.verdict(versions) if self.beside is not None else Verdict.STILL_SO
        if self.since and installed < _numbers(self.since) and other is Verdict.STILL_SO:
            return Verdict.NOT_YET_SO
        return other

    def __str__(self) -> str:
        since = f" from {self.since}" if self.since else ""
        until = f" before {self.until}" if self.until else ""
        if not since and not until:
            return "all versions that tlsdemo supports"
        beside = f", with {self.beside}" if self.beside is not None else ""
        return f"{self.library}{since}{',' if since and until else ''}{until}{beside}"


ALL_SUPPORTED = AffectedVersions()
"""From the oldest version that tlsdemo supports to the newest one that it was tried with."""

Reproduction = Callable[[Testbed], Coroutine[Any, Any, Evidence]]


@dataclass(frozen=True)
class Finding:
    """Surprising behaviour of stock Twisted or pyOpenSSL.

    Attributes:
        name: Lower-case words, joined with hyphens.
        title: One sentence.
        paragraph: What happens, why it matters, and what to do about it.
        reproduce: Makes it happen on the loopback interface.
        affected: The affected versions.
        tickets: The numbers of the upstream tickets that are about it, the closest one first.
        timeout: The number of seconds that the reproduction may take.
    """

    name: str
    title: str
    paragraph: str
    reproduce: Reproduction
    affected: AffectedVersions = ALL_SUPPORTED
    tickets: tuple[int, ...] = ()
    timeout: float = _TIMEOUT

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"the name of a finding is lower-case words joined with hyphens, not {self.name!r}"
            )

    @property
    def bound(self) -> float:
        """The number of seconds after which an examination is over, all connections closed."""
        return self.timeout + WAIT_TIMEOUT

    @property
    def description(self) -> FindingDescription:
        """The finding without its reproduction."""
        tickets = tuple(f"{TICKET}{number}" for number in self.tickets)
        return FindingDescription(
            self.name, self.title, self.paragraph, str(self.affected), tickets
        )

    def judge(self, evidence: Evidence, versions: Mapping[str, str]) -> Evidence:
        """Return ``evidence`` with the verdict for these ``versions``.

        A reproduction cannot know whether the behaviour it did not observe is gone, or has not
        been introduced yet.
        """
        not_yet = self.affected.verdict(versions) is Verdict.NOT_YET_SO
        if not_yet and evidence.verdict is Verdict.NO_LONGER_SO:
            return Evidence(Verdict.NOT_YET_SO, evidence.lines)
        return evidence


def _numbers(version: str) -> tuple[int, ...]:
    # "OpenSSL 4.0.3 29 Sep 2026" as well as "26.10.0" and "26.10.0rc1".
    found = re.search(r"\d+(\.\d+)*", version)
    if found is None:
        raise ValueError(f"{version!r} has no version number")
    return tuple(map(int, found.group().split(".")))
