"""PURE.  Findings as text: lines for a terminal, and a page for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from tlsdemo.reporting.finding_result import FindingDescription, FindingResult, Verdict

REPORT_WIDTH = 88
"""Columns of a report, if the terminal has them."""

_PAGE_WIDTH = 100

_INTRODUCTION = (
    "Surprising behaviour of stock Twisted and pyOpenSSL. Every finding comes with a reproduction "
    "that runs on the loopback interface with the versions you have installed and reports whether "
    "the finding still holds; `tlsdemo findings --all` runs all of them. This page is the output "
    "of `tlsdemo findings --all --format=markdown`. One test compares it with its source, and "
    "another one runs every reproduction."
)

_VERDICTS_OF = "The verdicts are those of "


def listing(findings: Iterable[FindingDescription], width: int | None = None) -> list[str]:
    """Return one line for each finding: its name and its title.

    If they do not fit into ``width`` columns, the title is below the name.
    """
    known = list(findings)
    longest = max(len(finding.name) for finding in known)
    lines = [f"{finding.name:{longest}}  {finding.title}" for finding in known]
    if width is None or max(map(len, lines)) <= width:
        return lines
    titles = [_filled(finding.title, width, "    ") for finding in known]
    return [f"{each.name}\n{title}" for each, title in zip(known, titles, strict=True)]


def full_report(result: FindingResult, width: int = REPORT_WIDTH) -> list[str]:
    """Return the description of a finding, the evidence and the verdict, as lines."""
    finding, evidence = result.finding, result.evidence
    width = min(width, REPORT_WIDTH)
    reason = f": {evidence.reason}" if evidence.reason else ""
    return [
        finding.name,
        "=" * len(finding.name),
        _filled(finding.title, width),
        "",
        _filled(finding.paragraph, width),
        "",
        f"Affected:  {finding.affected}",
        f"Ticket:    {', '.join(finding.tickets) or 'none known'}",
        "",
        "Observed just now:",
        *(_evidence_line(line, width) for line in evidence.lines or ("nothing",)),
        "",
        f"Verdict: {evidence.verdict.value}{reason}",
        "",
    ]


def _evidence_line(line: str, width: int) -> str:
    if len(line) + 2 <= width:
        return f"  {line}"
    return fill(line, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _filled(text: str, width: int, indent: str = "") -> str:
    # Names of findings stay whole, so that they can be found and pasted.
    return fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def with_versions(versions: Mapping[str, str]) -> str:
    """Return the versions in one line."""
    return ", ".join(
        version if version.startswith(name) else f"{name} {version}"
        for name, version in versions.items()
    )


def summary(results: Sequence[FindingResult], versions: Mapping[str, str]) -> list[str]:
    """Return a table of the verdicts, and the number of findings with each verdict."""
    names = max(len(each.finding.name) for each in results)
    verdicts = max(len(each.evidence.verdict.value) for each in results)
    counts = Counter(each.evidence.verdict for each in results)
    return [
        with_versions(versions),
        "",
        *(
            f"{each.finding.name:{names}}  {each.evidence.verdict.value:{verdicts}}  "
            f"{each.seconds:5.2f} s"
            for each in results
        ),
        "",
        ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        + f", in {sum(each.seconds for each in results):.1f} s",
    ]


def page(
    themes: Mapping[str, Sequence[FindingDescription]],
    verdicts: Mapping[str, Verdict],
    versions: Mapping[str, str],
) -> str:
    """Return the page of the documentation, as Markdown.

    Args:
        themes: The findings under their headings.
        verdicts: The verdict on each finding by name; findings without one are left out.
        versions: The versions that the verdicts are about, by library.
    """
    versions_line = f"{_VERDICTS_OF}{with_versions(versions)}."
    lines = ["# Findings", "", *_wrapped(_INTRODUCTION), "", versions_line, ""]
    for theme, findings in themes.items():
        chosen = [finding for finding in findings if finding.name in verdicts]
        if chosen:
            lines += [f"## {theme}", ""]
        for finding in chosen:
            tickets = ", ".join(f"<{ticket}>" for ticket in finding.tickets) or "none known"
            lines += [
                f"### {finding.name}",
                "",
                *_wrapped(f"**{finding.title}**"),
                "",
                *_wrapped(finding.paragraph),
                "",
                f"- Affected: {finding.affected}",
                f"- Ticket: {tickets}",
                f"- Verdict: {verdicts[finding.name].value}",
                f"- Reproduce: `tlsdemo findings {finding.name}`",
                "",
            ]
    return "\n".join(lines).rstrip("\n") + "\n"


def versions_of(printed: str) -> dict[str, str]:
    """Return the versions that a printed page names, without the name of the library.

    Raises:
        ValueError: If it names none.
    """
    for line in printed.splitlines():
        if line.startswith(_VERDICTS_OF):
            named = line.removeprefix(_VERDICTS_OF).removesuffix(".").split(", ")
            parts = [each.partition(" ") for each in named]
            return {name: version for name, _, version in parts}
    raise ValueError("the page does not name the versions that its verdicts are about")


def _wrapped(text: str) -> list[str]:
    return fill(text, _PAGE_WIDTH, break_on_hyphens=False).splitlines()
