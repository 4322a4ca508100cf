"""The words in which findings are told: lines for a terminal, a page for the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from tlsdemo.lab.findings.examination import Examined
from tlsdemo.lab.findings.finding import Finding, Verdict

_WIDTH = 88
_PAGE_WIDTH = 100


def listing(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each finding: its name and its title."""
    known = list(findings)
    width = max(len(finding.name) for finding in known)
    return [f"{finding.name:{width}}  {finding.title}" for finding in known]


def told(examined: Examined) -> list[str]:
    """Return all that there is to say of one finding."""
    finding, evidence = examined.finding, examined.evidence
    reason = f": {evidence.reason}" if evidence.reason else ""
    return [
        finding.name,
        "=" * len(finding.name),
        fill(finding.title, _WIDTH),
        "",
        fill(finding.paragraph, _WIDTH),
        "",
        f"Holds for: {finding.span}",
        f"Ticket:    {finding.ticket or 'none known'}",
        "",
        "Seen just now:",
        *(
            fill(
                line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
            )
            if len(line) > _WIDTH
            else f"  {line}"
            for line in evidence.seen or ("nothing",)
        ),
        "",
        f"Verdict: {evidence.verdict.value}{reason}",
        "",
    ]


def with_versions(versions: Mapping[str, str]) -> str:
    """Return the versions in one line."""
    return ", ".join(
        version if version.startswith(name) else f"{name} {version}"
        for name, version in versions.items()
    )


def summary(all_examined: Sequence[Examined], versions: Mapping[str, str]) -> list[str]:
    """Return a table of the verdicts, and how many there are of each."""
    names = max(len(each.finding.name) for each in all_examined)
    verdicts = max(len(each.evidence.verdict.value) for each in all_examined)
    counts = Counter(each.evidence.verdict for each in all_examined)
    return [
        with_versions(versions),
        "",
        *(
            f"{each.finding.name:{names}}  {each.evidence.verdict.value:{verdicts}}  "
            f"{each.seconds:5.2f} s"
            for each in all_examined
        ),
        "",
        ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        + f", in {sum(each.seconds for each in all_examined):.1f} s",
    ]


def page(
    themes: Mapping[str, Sequence[Finding]],
    verdicts: Mapping[str, Verdict],
    versions: Mapping[str, str],
) -> str:
    """Return the documentation's page.

    Args:
        themes: The findings under their headings.
        verdicts: The verdict on each finding, by its name; those without are left out.
        versions: That the verdicts hold for.
    """
    lines = ["# Findings", "", *_wrapped(_INTRODUCTION), "", _versions_line(versions), ""]
    for theme, findings in themes.items():
        chosen = [finding for finding in findings if finding.name in verdicts]
        if chosen:
            lines += [f"## {theme}", ""]
        for finding in chosen:
            ticket = f"<{finding.ticket}>" if finding.ticket else "none known"
            lines += [
                f"### {finding.name}",
                "",
                *_wrapped(f"**{finding.title}**"),
                "",
                *_wrapped(finding.paragraph),
                "",
                f"- Holds for: {finding.span}",
                f"- Ticket: {ticket}",
                f"- Verdict: {verdicts[finding.name].value}",
                f"- Reproduce: `tlsdemo findings {finding.name}`",
                "",
            ]
    return "\n".join(lines).rstrip("\n") + "\n"


_INTRODUCTION = (
    "What stock Twisted and pyOpenSSL do that surprises. Each finding has a reproduction that runs "
    "now, on loopback, with the versions that you have, and says whether it is still so; `tlsdemo "
    "findings --all` runs them all. This page is printed by `tlsdemo findings --all "
    "--format=markdown`; a test holds it against its source, and another runs every reproduction."
)

_VERDICTS_OF = "The verdicts are those of "


def _versions_line(versions: Mapping[str, str]) -> str:
    return f"{_VERDICTS_OF}{with_versions(versions)}."


def versions_of(printed: str) -> dict[str, str]:
    """Return the versions that a printed page names, as numbers without their library's name.

    Raises:
        ValueError: If it names none.
    """
    for line in printed.splitlines():
        if line.startswith(_VERDICTS_OF):
            named = line.removeprefix(_VERDICTS_OF).removesuffix(".").split(", ")
            parts = [each.partition(" ") for each in named]
            return {name: version for name, _, version in parts}
    raise ValueError("the page does not say of which versions its verdicts are")


def _wrapped(text: str) -> list[str]:
    return fill(text, _PAGE_WIDTH, break_on_hyphens=False).splitlines()
