"""Every reproduction, run with the installed versions."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.support import certificates
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.finding_result import Verdict
from tlsdemo.tls import versions
from tlsdemo.tls.groups import CAN_SET_GROUPS

NO_VERDICT = () if CAN_SET_GROUPS else ("post-quantum-handshake-costs",)
"""The findings that this pyOpenSSL cannot reproduce."""


class Reproductions(TestCase):
    """Has one test for each finding, added below."""

    timeout = 30

    def reproduce(self, name: str) -> Deferred[None]:
        return Deferred.fromCoroutine(self._reproduce(name))

    async def _reproduce(self, name: str) -> None:
        from twisted.internet import reactor

        finding = FINDINGS[name]
        evidence = (await examine(reactor, certificates(), finding, versions())).evidence
        # Some findings are about what Twisted logs.
        self.flushLoggedErrors()
        message = "\n".join([*evidence.lines, evidence.reason])
        self.assertIs(evidence.verdict is Verdict.UNKNOWN, name in NO_VERDICT, message)
        if name in NO_VERDICT:
            return
        self.assertIs(evidence.verdict, finding.affected.verdict(versions()), message)
        self.assertNotEqual(evidence.lines, ())
        for line in evidence.lines:
            self.assertNotIn("\n", line)


def _test_of(name: str) -> Any:
    return lambda case: case.reproduce(name)


for _name in FINDINGS:
    setattr(Reproductions, f"test_{_name.replace('-', '_')}", _test_of(_name))
