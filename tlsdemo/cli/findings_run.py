"""The reproductions of one ``tlsdemo findings`` command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.reporting.finding_result import FindingResult, Verdict
from tlsdemo.reporting.progress import Progress
from tlsdemo.tls import versions


class FindingsRun:
    """Reproduces findings one after the other; ``each`` is called with each result."""

    def __init__(
        self,
        reactor: Any,
        certificates: DemoCertificates,
        findings: Sequence[Finding],
        progress: Progress,
        each: Callable[[FindingResult], object] = lambda _result: None,
    ) -> None:
        self._reactor = reactor
        self._certificates = certificates
        self._findings = findings
        self._progress = progress
        self._each = each
        self.versions = versions()
        self.results: list[FindingResult] = []
        self._current: Deferred[FindingResult] | None = None
        self._all: Deferred[None] | None = None
        self._failure: Failure | None = None
        self.interrupted = False

    def start(self) -> None:
        """Start; the reactor is stopped at the end."""
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._all = Deferred.fromCoroutine(self._examine_all())
        self._all.addBoth(self._stop)

    def finish(self) -> bool:
        """Return whether every finding has a verdict; raises what ``each`` has raised."""
        self._progress.clear()
        if self._failure is not None:
            self._failure.raiseException()
        unknown = any(each.evidence.verdict is Verdict.UNKNOWN for each in self.results)
        return not unknown and len(self.results) == len(self._findings)

    def as_json(self) -> dict[str, Any]:
        """Return the versions and the results for JSON."""
        found = [each.as_json() for each in self.results]
        return {"versions": self.versions, "findings": found}

    async def _examine_all(self) -> None:
        several = len(self._findings) > 1
        if several:
            self._progress.begin("reproducing", len(self._findings), "findings")
        for number, finding in enumerate(self._findings):
            if self.interrupted:
                break
            if several:
                self._progress.update(number, now_at=finding.name)
            self._current = Deferred.fromCoroutine(
                examine(self._reactor, self._certificates, finding, self.versions)
            )
            examined = await self._current
            if self.interrupted:
                break
            self.results.append(examined)
            self._each(examined)

    def _stop(self, result: Failure | None) -> None:
        self._all = None
        self._failure = result
        if not self.interrupted:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[None] | None:
        if self._all is not None:
            self.interrupted = True
            if self._current is not None:
                self._current.cancel()
        return self._all
