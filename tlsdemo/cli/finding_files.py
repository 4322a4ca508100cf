"""The files that ``tlsdemo findings`` writes: tests, benchmarks, and reports to be filed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from tlsdemo.lab.findings.causes import CAUSES, TRACKERS, TWISTED
from tlsdemo.lab.findings.finding_catalogue import FINDINGS, THEMES
from tlsdemo.lab.findings.standalone import standalone_program, standalone_tests
from tlsdemo.reporting.finding_report import FindingReport, reports_page
from tlsdemo.reporting.finding_result import FindingResult, Verdict

TEST_MODULE = "test_tls_findings"
"""The name, without ``.py``, of the trial module."""

BENCHMARK_MODULE = "test_tls_benchmarks"
"""The name, without ``.py``, of the module of benchmarks."""

PAGE = "index.md"
"""The page with all reports, beside them."""


def reportable() -> list[str]:
    """Return the names of the findings to be reported: not fixed, and without a ticket."""
    found = [
        each.name for each in FINDINGS.values() if not each.tickets and not each.affected.until
    ]
    # The first one concerns the most people.
    return sorted(found, key=lambda name: name != "alpn-kills-handshake")


def report_of(name: str) -> FindingReport:
    """Return the report on the finding of this name."""
    finding = FINDINGS[name]
    cause = CAUSES.get(name, "Not known.")
    where = TRACKERS.get(name, TWISTED)
    return FindingReport(finding.description, cause, where, *standalone_program(finding))


def write_tests(directory: Path, names: Iterable[str]) -> Path:
    """Write a trial module with these findings to ``directory``, and return its path.

    Raises:
        OSError: If it cannot be written.
    """
    wanted = set(names)
    themes = {
        theme: chosen
        for theme, findings in THEMES.items()
        if (chosen := [each for each in findings if each.name in wanted])
    }
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{TEST_MODULE}.py"
    path.write_text(standalone_tests(themes, TEST_MODULE), "utf-8")
    return path


def write_benchmarks(directory: Path) -> Path:
    """Write the module of benchmarks to ``directory``, and return its path.

    Raises:
        OSError: If it cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{BENCHMARK_MODULE}.py"
    # It is not imported, as it makes its certificate when it is.
    source = files("tlsdemo.lab.findings").joinpath("twisted_benchmarks.py").read_text("utf-8")
    path.write_text(source, "utf-8")
    return path


def write_reports(
    directory: Path, results: Sequence[FindingResult], versions: Mapping[str, str]
) -> list[Path]:
    """Write a report on each finding that still holds, and the page; return their paths.

    Raises:
        OSError: If one cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    texts, reports = {}, []
    for each in results:
        if each.evidence.verdict is Verdict.STILL_SO:
            report = report_of(each.finding.name)
            reports.append(report)
            texts[report.file] = report.text(each.evidence.lines, versions)
    texts[PAGE] = reports_page(reports)
    for name, text in texts.items():
        (directory / name).write_text(text, "utf-8")
    return [directory / name for name in texts]
