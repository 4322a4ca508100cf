"""What differs between event matrices: the answer of ``tlsdemo events --against``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

from tlsdemo.printable import printable
from tlsdemo.reporting.difference_text import distinguishing_versions, event_lines
from tlsdemo.reporting.event_differences import EventDifference, event_differences
from tlsdemo.reporting.html_page import html_text

_BEFORE_EVENTS = re.compile(r" +\w+, [^:]*: +")


@dataclass(frozen=True)
class EventComparison:
    """Two matrices in JSON, ``baseline`` and ``candidate``.

    ``name``: of the side that is not the result of this command.  ``sides``: what the two are
    called in the answer.
    """

    name: str
    baseline: Mapping[str, Any]
    candidate: Mapping[str, Any]
    sides: tuple[str, str] = ("here", "there")

    @property
    def differences(self) -> list[EventDifference]:
        """All differences."""
        return list(event_differences(self.baseline, self.candidate))

    def headline(self) -> str:
        """Return the answer in one sentence."""
        cells = len({each.cell for each in self.differences})
        total = len(self.baseline["cells"])
        if not cells:
            return f"No differences from {self.name}: {total} connections are alike."
        return f"{cells} of {total} connections differ from {self.name}."

    def lines(self, details: bool = False, width: int = 0) -> Iterator[str]:
        """Return the answer, then what differs; wrapped to ``width`` columns if that is not 0."""
        yield self.headline()
        parts = event_lines(self.differences, self.baseline, self.candidate, self.sides, details)
        # A file of --expect may hold anything.
        for line in map(printable, parts):
            before = _BEFORE_EVENTS.match(line)
            indent = " " * len(before[0]) if before else ""
            yield line if not width else fill(
                line, max(width, 40), subsequent_indent=indent[: width // 2],
                break_on_hyphens=False,
            )  # fmt: skip
        versions = (self.baseline.get("versions", {}), self.candidate.get("versions", {}))
        named = dict(zip(self.sides, versions, strict=True))
        yield from map(printable, distinguishing_versions(named))

    def as_json(self) -> dict[str, Any]:
        """Return the name, the versions and the differences."""
        return {
            "name": self.name,
            "versions": dict(zip(self.sides, (self.baseline.get("versions"),
                                              self.candidate.get("versions")), strict=True)),
            "differences": [
                {
                    "cell": each.cell,
                    "lifeline": each.lifeline,
                    "kind": each.kind.value,
                    "baseline": list(each.baseline),
                    "candidate": list(each.candidate),
                }
                for each in self.differences
            ],
        }  # fmt: skip

    def as_markdown(self) -> str:
        """Return a section of the page."""
        return "\n".join(["", f"## Compared with {self.name}", "", "```", *self.lines(), "```", ""])

    def as_html(self) -> str:
        """Return a section of the page."""
        lines = "\n".join(self.lines())
        return (
            f"<section><h2>Compared with {html_text(self.name)}</h2>\n"
            f'<pre class="compared">{"".join(map(_kept, lines))}</pre></section>\n'
        )


def _kept(character: str) -> str:
    return character if character == "\n" else html_text(character)
