"""PURE.  A finding as a report that can be filed with Twisted, and the index of such reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from textwrap import fill

from tlsdemo.reporting.finding_result import FindingDescription, FindingResult
from tlsdemo.reporting.findings_text import with_versions

_WIDTH = 100

_REFERENCE = re.compile(r" \([a-z0-9]+(-[a-z0-9]+)+\)")

OBSERVED = "## Observed"

INDEX = "index.md"
"""The file with the links to the others."""


def report_file(name: str) -> str:
    """Return the name of the file with the report on a finding."""
    return f"{name}.md"


def test_module(name: str) -> str:
    """Return the name, without ``.py``, of the trial module with one finding."""
    return f"test_{name.replace('-', '_')}"


def finding_report(
    result: FindingResult, versions: Mapping[str, str], cause: str, reproduction: str
) -> str:
    """Return a report, as Markdown.

    Args:
        result: The finding, and what was observed.
        versions: The versions with which it was observed, by library.
        cause: What causes it; names of code in double backquotes.
        reproduction: The source of a trial module.
    """
    finding = result.finding
    module = test_module(finding.name)
    fence = "`" * 3
    return "\n".join([
        f"# {finding.title.rstrip('.')}",
        "",
        _wrapped(without_tlsdemo(finding.paragraph)),
        "",
        "## Versions",
        "",
        _wrapped(f"{affected(finding)} Tried with {with_versions(versions)}."),
        "",
        OBSERVED,
        "",
        *(f"- {line}" for line in result.evidence.lines),
        "",
        "## Cause",
        "",
        _wrapped(cause.replace("``", "`")),
        "",
        "## Reproduction",
        "",
        _wrapped(f"Save this as `{module}.py` and run `python -m twisted.trial {module}`. It needs "
        "`Twisted[tls]` and the loopback interface. The test is an expected failure as long as the "
        "behaviour is as described, and then an unexpected success."),
        "",
        f"{fence}python",
        reproduction.rstrip("\n"),
        fence,
        "",
    ])  # fmt: skip


def report_index(findings: Iterable[FindingDescription]) -> str:
    """Return the page with links to the reports, as Markdown."""
    return "\n".join([
        "# Reports ready to be filed",
        "",
        _wrapped("One for each finding that still holds, and that no ticket of Twisted is known for: "
        "title, versions, what was observed, the cause as far as it is known, and a reproduction "
        "with plain Twisted that does not need tlsdemo. `tlsdemo findings --reports docs/reports` "
        "writes them."),
        "",
        *(f"- [{each.title}]({report_file(each.name)})" for each in findings),
        "",
    ])  # fmt: skip


def without_tlsdemo(paragraph: str) -> str:
    """Return a finding's description without what it says of tlsdemo and of other findings."""
    sentences = re.split(r"(?<=[.:]) (?=[A-Z])", _REFERENCE.sub("", paragraph))
    kept = []
    for sentence in sentences:
        parts = [part for part in sentence.rstrip(".").split("; ") if "tlsdemo" not in part]
        if parts:
            kept.append("; ".join(parts) + "." * (not parts[-1].endswith((":", "."))))
    return " ".join(kept)


def affected(finding: FindingDescription) -> str:
    """Return the affected versions as a sentence, for readers who do not know tlsdemo."""
    if "tlsdemo" in finding.affected:
        return "All versions of Twisted from 24.7 on."
    return f"{finding.affected}."


def _wrapped(text: str) -> str:
    return fill(text, _WIDTH, break_on_hyphens=False, break_long_words=False)
