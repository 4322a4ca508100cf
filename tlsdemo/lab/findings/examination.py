"""Runs the reproduction of a finding with a timeout, and closes the connections it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.lab.findings.testbed import NoVerdict, Testbed
from tlsdemo.reporting.finding_result import (
    REPRODUCTION_FAILED,
    Evidence,
    FindingResult,
    Verdict,
)


async def examine(
    reactor: Any,
    certificates: DemoCertificates,
    finding: Finding,
    versions: Mapping[str, str],
) -> FindingResult:
    """Reproduce ``finding``; a reproduction that fails gives a result too, without a verdict.

    Args:
        reactor: The global reactor, running: ``startTLS`` always uses that one.
        certificates: The demo certificates.
        finding: What to reproduce.
        versions: The version of each library by name, from :func:`tlsdemo.tls.versions`.
    """
    began = reactor.seconds()
    testbed = Testbed(reactor, certificates)
    running = Deferred.fromCoroutine(finding.reproduce(testbed))
    running.addTimeout(finding.timeout, reactor, onTimeoutCancel=_timed_out)
    try:
        evidence = finding.judge(await running, versions)
    except NoVerdict as problem:
        evidence = Evidence(Verdict.UNKNOWN, (), str(problem))
    except CancelledError:
        evidence = Evidence(Verdict.UNKNOWN, (), "it was interrupted")
    except Exception as problem:
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        evidence = Evidence(Verdict.UNKNOWN, (), f"{REPRODUCTION_FAILED}: {text}")
    finally:
        await testbed.close()
    return FindingResult(finding.description, evidence, reactor.seconds() - began)


def _timed_out(result: object, seconds: float) -> object:
    raise NoVerdict(f"the reproduction did not finish within {seconds:g} s")
