"""The files that ``tlsdemo findings`` writes: a trial module, and reports to be filed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tlsdemo.lab.findings.causes import CAUSES
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.lab.findings.finding_catalogue import FINDINGS, THEMES
from tlsdemo.lab.findings.standalone_tests import standalone_tests
from tlsdemo.reporting.finding_report import (
    INDEX,
    finding_report,
    report_file,
    report_index,
    test_module,
)
from tlsdemo.reporting.finding_result import FindingResult, Verdict

TEST_MODULE = "test_tls_findings"
"""The name, without ``.py``, of the trial module with several findings."""


def reportable() -> list[str]:
    """Return the names of the findings to be reported: not fixed, and without a ticket."""
    found = [
        each.name for each in FINDINGS.values() if not each.tickets and not each.affected.until
    ]
    # Most people run into this one.
    return sorted(found, key=lambda name: name != "alpn-kills-handshake")


def write_tests(directory: Path, names: Iterable[str]) -> Path:
    """Write a trial module with these findings to ``directory``, and return its path.

    Raises:
        OSError: If it cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{TEST_MODULE}.py"
    path.write_text(_tests(names, TEST_MODULE, "What is surprising about TLS in Twisted."), "utf-8")
    return path


def write_reports(
    directory: Path, results: Sequence[FindingResult], versions: Mapping[str, str]
) -> list[Path]:
    """Write a report on each finding that still holds, and the index; return their paths.

    Raises:
        OSError: If one cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    holding = [each for each in results if each.evidence.verdict is Verdict.STILL_SO]
    files = {INDEX: report_index(each.finding for each in holding)}
    for each in holding:
        files[report_file(each.finding.name)] = report_of(each, versions)
    for name, text in files.items():
        (directory / name).write_text(text, "utf-8")
    return [directory / name for name in files]


def report_of(result: FindingResult, versions: Mapping[str, str]) -> str:
    """Return the report on one finding."""
    name = result.finding.name
    reproduction = _tests([name], test_module(name), result.finding.title)
    cause = CAUSES.get(name, "Not known.")
    return finding_report(result, versions, cause, reproduction)


def _tests(names: Iterable[str], module: str, summary: str) -> str:
    wanted = set(names)
    themes: dict[str, list[Finding]] = {}
    for theme, findings in THEMES.items():
        if chosen := [each for each in findings if each.name in wanted]:
            themes[theme] = chosen
    return standalone_tests(themes, module, summary)
