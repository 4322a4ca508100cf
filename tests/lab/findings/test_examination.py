from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from tests.lab.findings.test_finding import finding, twisted
from tests.support import certificates
from tlsdemo.lab.findings.examination import Examined, examine
from tlsdemo.lab.findings.finding import CannotTell, Evidence, Reproduction, Span, Verdict, evidence
from tlsdemo.lab.findings.recording_protocols import Recording
from tlsdemo.lab.findings.stdlib_peer import Peer
from tlsdemo.lab.findings.testbed import Testbed


class Examination(TestCase):
    def examined(
        self, reproduce: Reproduction, deadline: float = 5.0, **changes: Any
    ) -> Deferred[Examined]:
        from twisted.internet import reactor

        chosen = replace(finding(), reproduce=reproduce, deadline=deadline, **changes)
        return ensureDeferred(examine(reactor, certificates(), chosen, twisted("25.5.0")))

    async def test_it_returns_what_was_seen(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            return evidence(False, "line")

        examined = await self.examined(reproduce)
        self.assertEqual(examined.evidence, Evidence(Verdict.NO_LONGER_SO, ("line",)))
        self.assertEqual(
            examined.as_json(),
            {
                "name": "a-name",
                "title": "A title.",
                "verdict": "no longer so",
                "evidence": ["line"],
                "seconds": round(examined.seconds, 3),
            },
        )

    async def test_the_verdict_is_right_for_the_versions(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            return evidence(False)

        examined = await self.examined(reproduce, span=Span(since="26.4"))
        self.assertIs(examined.evidence.verdict, Verdict.NOT_YET_SO)

    async def test_a_reproduction_that_never_ends_is_ended(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            await Deferred()
            raise AssertionError("not reached")

        examined = await self.examined(reproduce, deadline=0.01)
        self.assertIs(examined.evidence.verdict, Verdict.UNKNOWN)
        self.assertIn("not done within 0.01 s", examined.evidence.reason)
        self.assertEqual(examined.as_json()["reason"], examined.evidence.reason)

    async def test_why_it_cannot_tell_is_told(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            raise CannotTell("no such luck")

        examined = await self.examined(reproduce)
        self.assertEqual(examined.evidence, Evidence(Verdict.UNKNOWN, (), "no such luck"))

    async def test_a_reproduction_that_fails_is_one_line(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            raise ZeroDivisionError("by\nzero")

        examined = await self.examined(reproduce)
        self.assertEqual(
            examined.evidence.reason, "the reproduction failed: ZeroDivisionError: by zero"
        )

    async def test_it_can_be_interrupted(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            await Deferred()
            raise AssertionError("not reached")

        doing = self.examined(reproduce)
        doing.cancel()
        examined = await doing
        self.assertEqual(examined.evidence.reason, "it was interrupted")

    async def test_what_does_not_happen_in_time_leaves_no_verdict(self) -> None:
        async def reproduce(lab: Testbed) -> Evidence:
            await lab.must("happen", lambda: False, within=0.01)
            raise AssertionError("not reached")

        examined = await self.examined(reproduce)
        self.assertEqual(examined.evidence.reason, "it did not happen within 0.01 s")

    async def test_all_connections_are_cleared_away(self) -> None:
        # Trial itself would complain of what is left in the reactor.
        application, peers = Recording(), []

        async def reproduce(lab: Testbed) -> Evidence:
            peer: Peer = await lab.secured(lab.serve(application, "startTLS"))
            peers.append(peer)
            raise CannotTell("left open")

        await self.examined(reproduce)
        self.assertTrue(application.lost)
        self.assertTrue(peers[0].lost)

    async def test_what_is_logged_meanwhile_is_seen(self) -> None:
        log = Logger()
        labs = []

        async def reproduce(lab: Testbed) -> Evidence:
            labs.append(lab)
            log.info("nothing to worry about")
            log.warn("a warning")
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                log.failure("a failure")
            return evidence(True)

        await self.examined(reproduce)
        log.warn("afterwards")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(labs[0].logged, ["a warning", "ZeroDivisionError"])
