"""PURE.  A finding as a report that can be filed with Twisted, and a page with all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from tlsdemo.reporting.finding_result import FindingDescription
from tlsdemo.reporting.findings_text import with_versions

_WIDTH = 100

_REFERENCE = re.compile(r" \([a-z0-9]+(-[a-z0-9]+)+\)")

_FENCE = "`" * 3

_INTRODUCTION = (
    "One report for each finding that still holds, and that no ticket of Twisted is known for: "
    "title, versions, the cause as far as it is known, whom to tell, and what the reproduction "
    "does. `tlsdemo findings --reports DIR` reproduces them, and writes each into a file that is "
    "ready to be filed, with what was observed, and with the reproduction as a program that needs "
    "Twisted and not tlsdemo. Here only the part of it is shown that is particular to the finding; "
    "the names that it does not define are those of a testbed, which every program contains."
)


@dataclass(frozen=True)
class FindingReport:
    """What a report says.

    Attributes:
        finding: The finding.
        cause: What causes it; names of code in double backquotes.
        where: Whom to report it to: a name, and after a colon an address.
        steps: The part of the program that is particular to the finding.
        program: The source of the whole program.
    """

    finding: FindingDescription
    cause: str
    where: str
    steps: str
    program: str

    @property
    def file(self) -> str:
        """The name of the file that this report is written to."""
        return f"{self.finding.name}.md"

    def text(self, observed: Sequence[str], versions: Mapping[str, str]) -> str:
        """Return the report as Markdown.

        Args:
            observed: The lines of the evidence.
            versions: The versions with which it was observed, by library.
        """
        program = f"{self.finding.name.replace('-', '_')}.py"
        return "\n".join([
            f"# {self._title}",
            "",
            *self._body("##", f" Tried with {with_versions(versions)}."),
            "## Observed",
            "",
            *(f"- {line}" for line in observed),
            "",
            "## Reproduction",
            "",
            *_wrapped(f"The program below needs `Twisted[tls]` and the loopback interface. Save it "
            f"as `{program}`, and run `python {program}`. This is what it does:"),
            "",
            *_code(self.steps),
            f"<details><summary>{program}</summary>",
            "",
            *_code(self.program),
            "</details>",
            "",
        ])  # fmt: skip

    def section(self) -> list[str]:
        """Return the lines of this report on the page of all."""
        return [f"## {self._title}", "", *self._body("###"), "### Reproduction", "",
                *_code(self.steps)]  # fmt: skip

    def _body(self, heading: str, tried: str = "") -> list[str]:
        receiver, _, address = self.where.partition(": ")
        return [
            *_wrapped(without_tlsdemo(self.finding.paragraph)),
            "",
            f"{heading} Versions",
            "",
            *_wrapped(f"{_affected(self.finding)}{tried}"),
            "",
            f"{heading} Cause",
            "",
            *_wrapped(self.cause.replace("``", "`")),
            "",
            f"{heading} To be reported to",
            "",
            f"{receiver}: <{address}>",
            "",
        ]

    @property
    def _title(self) -> str:
        return self.finding.title.rstrip(".")


def reports_page(reports: Iterable[FindingReport]) -> str:
    """Return the page with all reports, as Markdown."""
    lines = ["# Reports", "", *_wrapped(_INTRODUCTION), ""]
    for each in reports:
        lines += each.section()
    return "\n".join(lines).rstrip("\n") + "\n"


def without_tlsdemo(paragraph: str) -> str:
    """Return a finding's description without what it says of tlsdemo and of other findings."""
    kept = []
    for sentence in re.split(r"(?<=\.) (?=[A-Z])", _REFERENCE.sub("", paragraph)):
        parts = [part for part in sentence.rstrip(".").split("; ") if "tlsdemo" not in part]
        if parts:
            kept.append("; ".join(parts) + ".")
    return " ".join(kept)


def _affected(finding: FindingDescription) -> str:
    # For readers who do not know which versions tlsdemo supports.
    if "tlsdemo" in finding.affected:
        return "All versions from Twisted 24.7 on."
    return f"{finding.affected}."


def _code(source: str) -> list[str]:
    return [f"{_FENCE}python", source.strip("\n"), _FENCE, ""]


def _wrapped(text: str) -> list[str]:
    return fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False).splitlines()
