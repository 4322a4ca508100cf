"""``tlsdemo findings``: the surprising behaviour of stock Twisted, reproduced."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

from twisted.logger import globalLogBeginner
from twisted.python import usage

from tlsdemo.certificates.demo_ca import DemoCertificates, default_directory, demo_certificates
from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.comparison_options import BOUNDS, EXIT_CODE, ComparisonOptions
from tlsdemo.cli.contradictions import Contradiction, check
from tlsdemo.cli.finding_files import reportable, write_benchmarks, write_reports, write_tests
from tlsdemo.cli.findings_run import FindingsRun
from tlsdemo.cli.options import fail, named
from tlsdemo.cli.suggestions import did_you_mean, one_of
from tlsdemo.lab.findings.finding_catalogue import DESCRIPTIONS, FINDINGS
from tlsdemo.reporting.finding_comparison import (
    comparison_json,
    comparison_markdown,
    observed_there,
    print_comparison,
)
from tlsdemo.reporting.finding_differences import Change, FindingDifference, finding_differences
from tlsdemo.reporting.finding_result import FindingResult
from tlsdemo.reporting.findings_text import REPORT_WIDTH, full_report, listing, page, summary
from tlsdemo.reporting.progress import Progress, standard_error
from tlsdemo.reporting.terminal import console_of, width_of, write_lines

FORMATS = ("text", "json", "markdown")

_BASELINE_ONLY = ("format", "json", "details", "exit-code")
"""The options that candidates do not have: they concern the report."""

_BOUNDS = [each.bound for each in FINDINGS.values()]


_CONTRADICTIONS = (
    Contradiction(
        "against python certs",
        lambda options: not options["names"],
        "and no finding is named; add names, or --all",
    ),
    Contradiction(
        "against python certs json details reports",
        lambda options: options["as-tests"] is not None,
        "but --as-tests reproduces nothing",
    ),
    Contradiction(
        "against python certs json details reports as-tests",
        lambda options: options["as-benchmarks"] is not None,
        "but --as-benchmarks only writes benchmarks",
    ),
    Contradiction(
        "against python json details",
        lambda options: options["reports"] is not None,
        "but --reports writes its results into files",
    ),
)


class FindingsOptions(ComparisonOptions):
    """The options of ``tlsdemo findings``."""

    command = "tlsdemo findings"

    synopsis = "Usage: tlsdemo findings [options] [NAME...]"

    longdesc = (
        "Without a name, lists the surprising behaviour of stock Twisted and pyOpenSSL. With "
        "names, or with --all, reproduces it over loopback and says whether it still exists in "
        "the installed versions. The exit status is 1 if a reproduction reached no verdict. With "
        "--against or --python, the findings are also reproduced with other versions, and the "
        "verdicts that differ are shown. One reproduction takes at most "
        f"{max(_BOUNDS):g} seconds, all together {ceil(sum(_BOUNDS) / 60)} minutes; most need only "
        f"a fraction of a second. {BOUNDS}"
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["all", None, "Reproduce all findings."],
        ["json", None, "The same as --format=json."],
        ["details", None, "Show what was observed of each finding, not only the verdicts. "
         "[default: for findings that are named, without --against]"],
        EXIT_CODE,
    ]  # fmt: skip

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "Format of the results: text, json, or markdown (the page of the "
         "documentation).", one_of(FORMATS)],
        ["as-tests", None, None, "Reproduce nothing; write the findings, or those that are named, "
         "into this directory as a trial module that needs Twisted and not tlsdemo."],
        ["as-benchmarks", None, None, "Reproduce nothing; write benchmarks of TLS in Twisted into "
         "this directory, in the form of Twisted's own: for pytest-codspeed or pytest-benchmark."],
        ["reports", None, None, "Reproduce the findings without a ticket, or those that are named, "
         "and write a report on each that still holds into this directory, ready to be filed."],
        ["certs", None, None, "Directory of the demo certificates. [default: certs/ in a "
         "checkout, otherwise in the user's data directory]"],
    ])  # fmt: skip

    def parseArgs(self, *names: str) -> None:
        """Check the names of findings."""
        for name in names:
            if name not in FINDINGS:
                cure = did_you_mean(name, FINDINGS) or f"; there are {', '.join(FINDINGS)}"
                raise usage.UsageError(f"no finding is called {name!r}{cure}")
        # Without duplicates, in the given order.
        self["names"] = list(dict.fromkeys(names))

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        if self["json"]:
            if self["format"] == "markdown":
                raise usage.UsageError("--json and --format=markdown exclude each other")
            self["format"] = "json"
        if self["all"] and self["names"]:
            raise usage.UsageError("--all does not take names")
        if self["as-benchmarks"] is not None and (self["all"] or self["names"]):
            raise usage.UsageError("--as-benchmarks takes no names of findings, nor --all")
        if self["all"]:
            self["names"] = list(FINDINGS)
        elif self["reports"] is not None and not self["names"]:
            self["names"] = reportable()
        elif self["names"] and not self.compares and self["as-tests"] is self["reports"] is None:
            self["details"] = True
        if self["format"] != "text" and not self["names"]:
            raise usage.UsageError(f"--format={self['format']} needs --all, or names of findings")

        check(self, _CONTRADICTIONS)

    def run(self) -> int:
        """List, write or reproduce the findings, and return the exit status."""
        if self["as-benchmarks"] is not None:
            return self._write(lambda: [write_benchmarks(Path(self["as-benchmarks"]))])
        if self["as-tests"] is not None:
            return self._write(
                lambda: [write_tests(Path(self["as-tests"]), self["names"] or FINDINGS)]
            )
        if not self["names"]:
            width = width_of(sys.stdout, 0) or None
            print("\n".join(listing((each.description for each in FINDINGS.values()), width)))
            return 0
        from twisted.internet import reactor

        certificates = self._certificates()
        # What Twisted logs during a reproduction is part of the evidence.
        globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
        findings = [FINDINGS[name] for name in self["names"]]
        progress = Progress(standard_error(), self.command)
        # The details of one reproduction after the other, unless others belong to it.
        at_once = self["details"] and self["format"] == "text" and not self.compares

        def write_report(result: FindingResult) -> None:
            progress.clear()
            write_lines(sys.stdout, full_report(result, width_of(sys.stdout, REPORT_WIDTH)))

        each = (write_report,) if at_once else ()
        run = FindingsRun(reactor, certificates, findings, progress, *each)
        reactor.callWhenRunning(run.start)
        reactor.run()
        complete = run.finish()
        others: dict[str, Any] = {}
        if not run.interrupted:
            candidates = self.candidates("--format=json", without=_BASELINE_ONLY)
            others = {each.name: each.result for each in candidates}
        if self["reports"] is not None:
            written = self._write(
                lambda: write_reports(Path(self["reports"]), run.results, run.versions)
            )
            complete = complete and written == 0
        elif self["format"] == "json":
            document = comparison_json(run.as_json(), others)
            write_lines(sys.stdout, [json.dumps(document, indent=2)])
        elif self["format"] == "markdown":
            self._write_page(run, others)
        elif others:
            self._write_comparison(run, others)
        elif len(run.results) > 1:
            write_lines(sys.stdout, summary(run.results, run.versions))
        if run.interrupted:
            progress.say("interrupted, the results are incomplete")
        return self._status(complete, run.as_json(), others)

    def _status(self, complete: bool, here: Any, others: Mapping[str, Any]) -> int:
        found = [each for there in others.values() for each in finding_differences(here, there)]
        if not complete or (self["exit-code"] and any(_is_unknown(each) for each in found)):
            return self.error_status
        return 1 if self["exit-code"] and found else 0

    def _write(self, write: Callable[[], list[Path]]) -> int:
        try:
            for path in write():
                print(path)
        except OSError as problem:
            fail(self.command, problem, status=1)
        return 0

    def _write_page(self, run: FindingsRun, others: Mapping[str, Any]) -> None:
        verdicts = {each.finding.name: each.evidence.verdict for each in run.results}
        sys.stdout.write(page(DESCRIPTIONS, verdicts, run.versions))
        if others:
            sys.stdout.write(comparison_markdown(run.as_json(), others))

    def _write_comparison(self, run: FindingsRun, others: Mapping[str, Any]) -> None:
        details: bool = self["details"]
        print_comparison(console_of(sys.stdout), run.as_json(), others, everything=details)
        if details:
            width = width_of(sys.stdout, REPORT_WIDTH)
            for each in run.results:
                report = [*full_report(each, width), *observed_there(each.finding.name, others)]
                write_lines(sys.stdout, ["", *report])
        else:
            print("--details shows what was observed.")

    def _certificates(self) -> DemoCertificates:
        try:
            directory = Path(self["certs"]).absolute() if self["certs"] else default_directory()
            return demo_certificates(directory, "ecdsa", datetime.now(timezone.utc))
        except BadCredentials as problem:
            self.give_up(problem)


def _is_unknown(difference: FindingDifference) -> bool:
    return difference.change is Change.UNKNOWN
