"""Runs the reproduction of a finding, within its time, and clears away what it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.lab.findings.finding import CannotTell, Evidence, Finding, Verdict
from tlsdemo.lab.findings.testbed import Testbed


@dataclass(frozen=True)
class Examined:
    """What became of a reproduction.

    Attributes:
        finding: What was reproduced.
        evidence: What was seen, with the verdict that is right for the versions at hand.
        seconds: How long it took.
    """

    finding: Finding
    evidence: Evidence
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; there is a ``reason`` only where there is no verdict."""
        return {
            "name": self.finding.name,
            "title": self.finding.title,
            "verdict": self.evidence.verdict.value,
            "evidence": list(self.evidence.seen),
            "seconds": round(self.seconds, 3),
            **({"reason": self.evidence.reason} if self.evidence.reason else {}),
        }


async def examine(
    reactor: Any,
    certificates: DemoCertificates,
    finding: Finding,
    versions: Mapping[str, str],
) -> Examined:
    """Reproduce ``finding``; whatever goes wrong, there is an answer.

    Args:
        reactor: Twisted's own, running.
        certificates: The demonstration's.
        finding: What to reproduce.
        versions: Of each library by name, as :func:`tlsdemo.tls.versions` has them.
    """
    began = reactor.seconds()
    lab = Testbed(reactor, certificates)
    doing = Deferred.fromCoroutine(finding.reproduce(lab))
    doing.addTimeout(finding.deadline, reactor, onTimeoutCancel=_too_late)
    try:
        evidence = finding.judged(await doing, versions)
    except CannotTell as why:
        evidence = Evidence(Verdict.UNKNOWN, (), str(why))
    except CancelledError:
        evidence = Evidence(Verdict.UNKNOWN, (), "it was interrupted")
    except Exception as problem:
        text = " ".join(f"{type(problem).__name__}: {problem}".split())
        evidence = Evidence(Verdict.UNKNOWN, (), f"the reproduction failed: {text}")
    finally:
        await lab.close()
    return Examined(finding, evidence, reactor.seconds() - began)


def _too_late(result: object, seconds: float) -> object:
    raise CannotTell(f"the reproduction was not done within {seconds:g} s")
