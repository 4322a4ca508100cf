from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from tests.lab.findings.test_finding import finding, twisted
from tests.support import certificates
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding import AffectedVersions, Reproduction, evidence
from tlsdemo.lab.findings.recording_protocols import RecordingProtocol
from tlsdemo.lab.findings.stdlib_peer import StdlibPeer
from tlsdemo.lab.findings.testbed import NoVerdict, Testbed
from tlsdemo.reporting.finding_result import Evidence, FindingResult, Verdict


async def never_ends(testbed: Testbed) -> Evidence:
    await Deferred()
    raise AssertionError("not reached")


class Examination(TestCase):
    def examine(
        self, reproduce: Reproduction, timeout: float = 5.0, **changes: Any
    ) -> Deferred[FindingResult]:
        from twisted.internet import reactor

        chosen = replace(finding(), reproduce=reproduce, timeout=timeout, **changes)
        return ensureDeferred(examine(reactor, certificates(), chosen, twisted("25.5.0")))

    async def test_the_result_holds_the_evidence(self) -> None:
        async def reproduce(testbed: Testbed) -> Evidence:
            return evidence(False, "line")

        result = await self.examine(reproduce)
        self.assertEqual(result.finding, finding().description)
        self.assertEqual(result.evidence, Evidence(Verdict.NO_LONGER_SO, ("line",)))

    async def test_the_verdict_depends_on_the_versions(self) -> None:
        async def reproduce(testbed: Testbed) -> Evidence:
            return evidence(False)

        result = await self.examine(reproduce, affected=AffectedVersions(since="26.4"))
        self.assertIs(result.evidence.verdict, Verdict.NOT_YET_SO)

    async def test_a_reproduction_that_never_ends_times_out(self) -> None:
        result = await self.examine(never_ends, timeout=0.01)
        self.assertIs(result.evidence.verdict, Verdict.UNKNOWN)
        self.assertEqual(result.evidence.reason, "the reproduction did not finish within 0.01 s")

    async def test_a_reproduction_without_a_verdict_says_why(self) -> None:
        async def reproduce(testbed: Testbed) -> Evidence:
            raise NoVerdict("no such luck")

        result = await self.examine(reproduce)
        self.assertEqual(result.evidence, Evidence(Verdict.UNKNOWN, (), "no such luck"))

    async def test_an_exception_in_a_reproduction_is_reported_in_one_line(self) -> None:
        async def reproduce(testbed: Testbed) -> Evidence:
            raise ZeroDivisionError("by\nzero")

        result = await self.examine(reproduce)
        self.assertEqual(
            result.evidence.reason, "the reproduction failed: ZeroDivisionError: by zero"
        )

    async def test_a_cancelled_examination_was_interrupted(self) -> None:
        running = self.examine(never_ends)
        running.cancel()
        result = await running
        self.assertEqual(result.evidence.reason, "it was interrupted")

    async def test_there_is_no_verdict_if_a_requirement_is_not_met_in_time(self) -> None:
        async def reproduce(testbed: Testbed) -> Evidence:
            await testbed.require("happen", lambda: False, timeout=0.01)
            raise AssertionError("not reached")

        result = await self.examine(reproduce)
        self.assertEqual(result.evidence.reason, "it did not happen within 0.01 s")

    async def test_every_connection_is_closed_in_the_end(self) -> None:
        # Trial itself fails a test that leaves a connection in the reactor.
        application, peers = RecordingProtocol(), []

        async def reproduce(testbed: Testbed) -> Evidence:
            peer: StdlibPeer = await testbed.connect_secured(testbed.serve(application, "startTLS"))
            peers.append(peer)
            raise NoVerdict("left open")

        await self.examine(reproduce)
        self.assertTrue(application.lost)
        self.assertTrue(peers[0].lost)

    async def test_the_testbed_records_what_is_logged_during_the_reproduction(self) -> None:
        log = Logger()
        testbeds = []

        async def reproduce(testbed: Testbed) -> Evidence:
            testbeds.append(testbed)
            log.info("nothing to worry about")
            log.warn("a warning")
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                log.failure("a failure")
            return evidence(True)

        await self.examine(reproduce)
        log.warn("afterwards")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(testbeds[0].logged, ["a warning", "ZeroDivisionError"])
