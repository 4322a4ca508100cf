"""When the finding about the cost of a key exchange says that it cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, cycle
from types import SimpleNamespace

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from tests.support import certificates
from tlsdemo.lab.findings import key_exchange
from tlsdemo.lab.findings.examination import examine
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.finding_result import Evidence, Verdict
from tlsdemo.tls import versions

FINDING = FINDINGS["post-quantum-handshake-costs"]


def clock(*seconds: float) -> Callable[[], float]:
    """Return a clock of CPU time on which each piece of work takes the next of ``seconds``."""

    def times() -> Iterator[float]:
        for number, spent in zip(count(), cycle(seconds), strict=False):
            yield number * 1000.0
            yield number * 1000.0 + spent

    return times().__next__


class Verdicts(TestCase):
    async def examined(self, seconds: Callable[[], float] | None = None) -> Evidence:
        from twisted.internet import reactor

        if FINDING.affected.verdict(versions()) is not Verdict.STILL_SO:
            raise SkipTest("this OpenSSL has no post-quantum key exchange")
        self.patch(key_exchange, "_HANDSHAKES", 1)
        if seconds is not None:
            self.patch(key_exchange, "time", SimpleNamespace(thread_time=seconds))
        return (await examine(reactor, certificates(), FINDING, versions())).evidence

    def check(self, verdict: Verdict, *seconds: float) -> Deferred[None]:
        async def run() -> None:
            evidence = await self.examined(clock(*seconds))
            self.assertIs(evidence.verdict, verdict, evidence)

        return Deferred.fromCoroutine(run())

    # The first two are not counted, and the order alternates: default, X25519, X25519, default.

    def test_what_costs_more_in_each_round_is_still_so(self) -> Deferred[None]:
        return self.check(Verdict.STILL_SO, 1.0, 1.0, *[1.3, 1.0, 1.0, 1.3] * 20)

    def test_what_costs_less_in_each_round_is_no_longer_so(self) -> Deferred[None]:
        return self.check(Verdict.NO_LONGER_SO, 1.0, 1.0, *[1.0, 1.1, 1.1, 1.0] * 20)

    def test_what_costs_more_in_some_rounds_only_cannot_be_told(self) -> Deferred[None]:
        # What runs second always takes longer.
        return self.check(Verdict.UNKNOWN, 1.0, 1.0, *[1.0, 1.2] * 40)

    def test_a_clock_that_stands_still_tells_nothing(self) -> Deferred[None]:
        return self.check(Verdict.UNKNOWN, 0.0)

    def test_without_a_way_to_set_the_groups_there_is_no_verdict(self) -> Deferred[None]:
        async def run() -> None:
            public = SimpleNamespace(Connection=SSL.Connection, WantReadError=SSL.WantReadError)
            self.patch(key_exchange, "SSL", public)
            evidence = await self.examined()
            self.assertIs(evidence.verdict, Verdict.UNKNOWN)
            self.assertIn("cannot be set with this pyOpenSSL", evidence.reason)

        return Deferred.fromCoroutine(run())
