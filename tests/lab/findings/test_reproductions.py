"""Every reproduction, run with the versions that are installed."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.support import certificates
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding import Verdict
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.tls import versions


class Reproductions(TestCase):
    """One test a finding, made below."""

    timeout = 30

    def reproduce(self, name: str) -> Deferred[None]:
        return Deferred.fromCoroutine(self._reproduce(name))

    async def _reproduce(self, name: str) -> None:
        from twisted.internet import reactor

        finding = FINDINGS[name]
        examined = await examine(reactor, certificates(), finding, versions())
        # What Twisted logs in a reproduction is what the reproduction is about.
        self.flushLoggedErrors()
        told = "\n".join([*examined.evidence.seen, examined.evidence.reason])
        self.assertIsNot(examined.evidence.verdict, Verdict.UNKNOWN, told)
        self.assertIs(examined.evidence.verdict, finding.span.verdict(versions()), told)
        self.assertNotEqual(examined.evidence.seen, ())
        for line in examined.evidence.seen:
            self.assertNotIn("\n", line)


def _test_of(name: str) -> Any:
    return lambda case: case.reproduce(name)


for _name in FINDINGS:
    setattr(Reproductions, f"test_{_name.replace('-', '_')}", _test_of(_name))
