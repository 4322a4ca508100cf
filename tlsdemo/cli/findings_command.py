"""``tlsdemo findings``: the surprising behaviour of stock Twisted, reproduced."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

from twisted.logger import globalLogBeginner
from twisted.python import usage

from tlsdemo.certificates.demo_ca import DemoCertificates, default_directory, demo_certificates
from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.comparison_options import BOUNDS, ComparisonOptions
from tlsdemo.cli.contradictions import Contradiction, check
from tlsdemo.cli.findings_run import FindingsRun
from tlsdemo.cli.options import fail, named
from tlsdemo.cli.suggestions import did_you_mean, one_of
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.difference_text import version_lines
from tlsdemo.reporting.finding_differences import finding_differences
from tlsdemo.reporting.findings_text import listing

FORMATS = ("text", "json", "markdown")

_BOUNDS = [each.bound for each in FINDINGS.values()]


_CONTRADICTIONS = (
    Contradiction(
        "against python certs",
        lambda options: not options["names"],
        "and no finding is named; add names, or --all",
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
        "differences are shown. One reproduction takes at most "
        f"{max(_BOUNDS):g} seconds, all together {ceil(sum(_BOUNDS) / 60)} minutes; most need only "
        f"a fraction of a second. {BOUNDS}"
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["all", None, "Reproduce all findings."],
        ["json", None, "The same as --format=json."],
    ]

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "Format of the results: text, json, or markdown (the page of the "
         "documentation).", one_of(FORMATS)],
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
        if self["all"]:
            self["names"] = list(FINDINGS)
        if self["format"] != "text" and not self["names"]:
            raise usage.UsageError(f"--format={self['format']} needs --all, or names of findings")

        check(self, _CONTRADICTIONS)

    def run(self) -> int:
        """List or reproduce the findings, and return the exit status."""
        if not self["names"]:
            print("\n".join(listing(each.description for each in FINDINGS.values())))
            return 0
        from twisted.internet import reactor

        certificates = self._certificates()
        # What Twisted logs during a reproduction is part of the evidence.
        globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
        findings = [FINDINGS[name] for name in self["names"]]
        run = FindingsRun(reactor, certificates, findings, self["format"], sys.stdout, sys.stderr)
        reactor.callWhenRunning(run.start)
        reactor.run()
        status = run.finish()
        baseline = run.as_json()
        for candidate in self.candidates("--format=json", without=("format", "json")):
            for line in version_lines(baseline["versions"], candidate.result["versions"]):
                self.report(line)
            differences = list(finding_differences(baseline, candidate.result))
            self.report(
                f"{len(differences)} differences:"
                if differences
                else f"no differences with {candidate.name}"
            )
            # Standard output may be for a program to read, except in the format text.
            stream = sys.stdout if self["format"] == "text" else sys.stderr
            for each in differences:
                stream.write(f"{each}\n")
        return status

    def _certificates(self) -> DemoCertificates:
        try:
            directory = Path(self["certs"]).absolute() if self["certs"] else default_directory()
            return demo_certificates(directory, "ecdsa", datetime.now(timezone.utc))
        except BadCredentials as problem:
            fail(self.command, problem, status=1)
