"""``tlsdemo findings``: what stock Twisted does that surprises, and whether it still does."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, TextIO

from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner
from twisted.python import usage

from tlsdemo.certificates.demo_ca import DemoCertificates, default_directory, demo_certificates
from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.comparison_options import AgainstOptions
from tlsdemo.cli.options import fail
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.lab.findings.finding_catalogue import DESCRIPTIONS, FINDINGS
from tlsdemo.reporting.difference_text import versions_line
from tlsdemo.reporting.finding_differences import finding_differences
from tlsdemo.reporting.finding_result import FindingResult, Verdict
from tlsdemo.reporting.findings_text import full_report, listing, page, summary
from tlsdemo.tls import versions

FORMATS = ("text", "json", "markdown")

QUIET = 2.0
"""Seconds of silence, after which progress is shown."""


class FindingsOptions(AgainstOptions):
    """The options of ``tlsdemo findings``."""

    command = "tlsdemo findings"

    synopsis = "Usage: tlsdemo findings [options] [NAME...]"

    longdesc = (
        "Without a name, lists what stock Twisted and pyOpenSSL do that surprises. With names, or "
        "--all, reproduces it now, on loopback, and says whether it is still so. The exit status "
        "is 1 if one of the reproductions came to no verdict. With --against or --python, the same "
        "is reproduced with other versions, and what came or went is told."
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["all", None, "Reproduce all of them."],
        ["json", None, "The same as --format=json."],
    ]

    optParameters: ClassVar[list[list[Any]]] = [
        ["format", None, "text", "text, json, or markdown: the page of the documentation."],
        ["certs", None, None, "Where the demonstration's certificates are kept. "
         "[default: certs/ of a checkout, otherwise the user's data directory]"],
    ]  # fmt: skip

    def parseArgs(self, *names: str) -> None:
        """Take the names of findings."""
        for name in names:
            if name not in FINDINGS:
                raise usage.UsageError(f"no finding is called {name!r}; {_instead_of(name)}")
        # Each once, in the order given.
        self["names"] = list(dict.fromkeys(names))

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        if self["format"] not in FORMATS:
            raise usage.UsageError(f"--format is {self['format']!r}, none of {', '.join(FORMATS)}")
        if self["json"]:
            if self["format"] == "markdown":
                raise usage.UsageError("--json and --format=markdown exclude each other")
            self["format"] = "json"
        if self["all"] and self["names"]:
            raise usage.UsageError("--all goes with no name")
        if self["all"]:
            self["names"] = list(FINDINGS)
        if self["format"] != "text" and not self["names"]:
            raise usage.UsageError(f"--format={self['format']} needs --all, or names of findings")

    def run(self) -> int:
        """List or reproduce, and return the exit status."""
        if not self["names"]:
            print("\n".join(listing(each.description for each in FINDINGS.values())))
            return 0
        from twisted.internet import reactor

        certificates = self._certificates()
        # What a reproduction has Twisted log is evidence, and nothing for the terminal.
        globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
        findings = [FINDINGS[name] for name in self["names"]]
        run = Examinations(reactor, certificates, findings, self["format"], sys.stdout, sys.stderr)
        reactor.callWhenRunning(run.start)
        reactor.run()
        status = run.finish()
        for there in self.results_there("--format=json", instead_of=("format", "json")):
            self.say(f"here {versions_line(run.as_json()['versions'])}")
            self.say(f"there {versions_line(there.result['versions'])}")
            differences = [*finding_differences(run.as_json(), there.result)]
            self.say(
                f"what differs, there from here: {len(differences)}"
                if differences
                else f"the same with {there.name}"
            )
            # Beside a result that somebody reads by program, only where nobody does.
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


def _instead_of(name: str) -> str:
    within = [known for known in FINDINGS if name and name.lower() in known]
    if close := get_close_matches(name, FINDINGS, n=3) or within[:3]:
        return f"did you mean {' or '.join(close)}?"
    return f"there are {', '.join(FINDINGS)}"


class Examinations:
    """Reproduces findings, one after the other, and tells of each."""

    def __init__(
        self,
        reactor: Any,
        certificates: DemoCertificates,
        findings: Sequence[Finding],
        form: str,
        output: TextIO,
        progress: TextIO,
    ) -> None:
        self._reactor = reactor
        self._certificates = certificates
        self._findings = findings
        self._form = form
        self._output = output
        self._progress = progress
        self._versions = versions()
        self._results: list[FindingResult] = []
        self._current: Deferred[FindingResult] | None = None
        self._all: Deferred[None] | None = None
        self._interrupted = False
        self._shown = 0.0

    def start(self) -> None:
        """Begin; the reactor is stopped when all is done."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._all = Deferred.fromCoroutine(self._go())
        self._all.addBoth(self._stop)

    def finish(self) -> int:
        """Tell what is told of all together, and return the exit status."""
        results = self._results
        if self._form == "json":
            self._print(json.dumps(self.as_json(), indent=2))
        elif self._form == "markdown":
            verdicts = {each.finding.name: each.evidence.verdict for each in results}
            self._print(page(DESCRIPTIONS, verdicts, self._versions).rstrip("\n"))
        elif len(results) > 1:
            self._print(*summary(results, self._versions))
        if self._interrupted:
            self._progress.write(
                "tlsdemo findings: interrupted: the verdicts are those until then\n"
            )
        unknown = any(each.evidence.verdict is Verdict.UNKNOWN for each in results)
        return 1 if unknown or len(results) < len(self._findings) else 0

    def as_json(self) -> dict[str, Any]:
        """Return the verdicts as JSON has them."""
        found = [each.as_json() for each in self._results]
        return {"versions": self._versions, "findings": found}

    async def _go(self) -> None:
        self._shown = self._reactor.seconds()
        for finding in self._findings:
            if self._interrupted:
                break
            self._show(finding.name)
            self._current = Deferred.fromCoroutine(
                examine(self._reactor, self._certificates, finding, self._versions)
            )
            examined = await self._current
            if self._interrupted:
                break
            self._results.append(examined)
            if self._form == "text":
                self._print(*full_report(examined))

    def _show(self, name: str) -> None:
        # On a terminal, what is printed as it is found shows enough of itself.
        seen = self._form == "text" and self._output.isatty()
        now = self._reactor.seconds()
        if not seen and now - self._shown >= QUIET:
            self._shown = now
            done, total = len(self._results), len(self._findings)
            self._progress.write(f"{done} of {total} done, now {name}\n")
            self._progress.flush()

    def _print(self, *lines: str) -> None:
        for line in lines:
            self._output.write(f"{line}\n")
        self._output.flush()

    def _stop(self, result: object) -> object:
        self._all = None
        if not self._interrupted:
            self._reactor.stop()
        return result

    def _interrupt(self) -> Deferred[None] | None:
        if self._all is not None:
            self._interrupted = True
            if self._current is not None:
                self._current.cancel()
        return self._all
