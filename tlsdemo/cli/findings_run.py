"""The reproductions of one ``tlsdemo findings`` command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.lab.findings.finding_catalogue import DESCRIPTIONS
from tlsdemo.reporting.finding_result import FindingResult, Verdict
from tlsdemo.reporting.findings_text import full_report, page, summary
from tlsdemo.tls import versions

PROGRESS_INTERVAL = 2.0
"""Seconds between two lines of progress."""


class FindingsRun:
    """Reproduces findings one after the other, and writes the results in the format ``form``."""

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
        self._failure: Failure | None = None
        self._interrupted = False
        self._last_progress = 0.0

    def start(self) -> None:
        """Start; the reactor is stopped at the end."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._all = Deferred.fromCoroutine(self._examine_all())
        self._all.addBoth(self._stop)

    def finish(self) -> int:
        """Write the summary or the whole document, and return the exit status.

        Raises OSError if something could not be written, also before this.
        """
        if self._failure is not None:
            self._failure.raiseException()
        results = self._results
        if self._form == "json":
            self._print(json.dumps(self.as_json(), indent=2))
        elif self._form == "markdown":
            verdicts = {each.finding.name: each.evidence.verdict for each in results}
            self._print(page(DESCRIPTIONS, verdicts, self._versions).rstrip("\n"))
        elif len(results) > 1:
            self._print(*summary(results, self._versions))
        if self._interrupted:
            self._progress.write("tlsdemo findings: interrupted, the results are incomplete\n")
        unknown = any(each.evidence.verdict is Verdict.UNKNOWN for each in results)
        return 1 if unknown or len(results) < len(self._findings) else 0

    def as_json(self) -> dict[str, Any]:
        """Return the versions and the results for JSON."""
        found = [each.as_json() for each in self._results]
        return {"versions": self._versions, "findings": found}

    async def _examine_all(self) -> None:
        self._last_progress = self._reactor.seconds()
        for finding in self._findings:
            if self._interrupted:
                break
            self._show_progress(finding.name)
            self._current = Deferred.fromCoroutine(
                examine(self._reactor, self._certificates, finding, self._versions)
            )
            examined = await self._current
            if self._interrupted:
                break
            self._results.append(examined)
            if self._form == "text":
                self._print(*full_report(examined))

    def _show_progress(self, name: str) -> None:
        # On a terminal the results themselves show the progress.
        visible = self._form == "text" and self._output.isatty()
        now = self._reactor.seconds()
        if not visible and now - self._last_progress >= PROGRESS_INTERVAL:
            self._last_progress = now
            done, total = len(self._results), len(self._findings)
            self._progress.write(f"{done} of {total} done, now {name}\n")
            self._progress.flush()

    def _print(self, *lines: str) -> None:
        for line in lines:
            self._output.write(f"{line}\n")
        self._output.flush()

    def _stop(self, result: Failure | None) -> None:
        self._all = None
        self._failure = result
        if not self._interrupted:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[None] | None:
        if self._all is not None:
            self._interrupted = True
            if self._current is not None:
                self._current.cancel()
        return self._all
