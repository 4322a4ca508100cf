"""Finds out whether a server takes the ClientHellos of post-quantum clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory

from tlsdemo.loadgen.connection_pool import ConnectionPool
from tlsdemo.loadgen.connection_steps import UNKNOWN
from tlsdemo.loadgen.hello_checks import HelloCheck
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.segmented_hello import SegmentedHello
from tlsdemo.loadgen.worker import client_tls
from tlsdemo.reporting.readiness_result import CheckResult, Verdict
from tlsdemo.tls import ModeName

STOPPED = "stopped before its end"


class Readiness:
    """Makes the checks, one connection after the other, each as ``task`` says.

    A check is passed if the server has confirmed the handshake.  If the first fails, no other is
    made.  ``on_check`` is called with each before it begins.

    Attributes:
        task: What the connections have in common.
    """

    def __init__(
        self,
        reactor: Any,
        task: Task,
        checks: Sequence[HelloCheck],
        on_check: Callable[[HelloCheck], object] = lambda _: None,
    ) -> None:
        self._reactor = reactor
        # A pair writes to any transport, and so to one that cuts.
        self.task = replace(
            task,
            mode=ModeName.PAIR.value,
            scenario=ScenarioName.IDLE.value,
            connections=1,
        )
        self._checks = checks
        self._on_check = on_check
        self._pool: ConnectionPool | None = None
        self._waiting: tuple[Callable[[], bool], Deferred[None]] | None = None
        self._stopped = False

    async def run(self) -> list[CheckResult]:
        """Make the checks; problems do not raise, they are part of the results."""
        results: list[CheckResult] = []
        for check in self._checks:
            if check.impossible or self._stopped:
                why = check.impossible or STOPPED
                results.append(CheckResult(check.name, Verdict.NOT_TESTED, detail=why))
                continue
            self._on_check(check)
            results.append(await self._make(check))
            if results[0].verdict is Verdict.FAILED:
                break
        return results

    def stop(self) -> None:
        """End early: the checks that remain are not made."""
        self._stopped = True
        if self._pool is not None:
            self._pool.abort()

    def abort(self) -> None:
        """Do the same: it aborts."""
        self.stop()

    async def _make(self, check: HelloCheck) -> CheckResult:
        hellos: list[SegmentedHello] = []

        def segmented(factory: IProtocolFactory) -> IProtocolFactory:
            hellos.append(SegmentedHello(factory, self._reactor, check.cut))
            return hellos[-1]

        task = replace(self.task, groups=check.groups)
        self._pool = pool = ConnectionPool(
            task,
            client_tls(task),
            self._reactor,
            Recorder(self._reactor.seconds),
            # Not at once: the pool calls this while it changes.
            lambda: self._reactor.callLater(0, self._changed),
            segmented,
        )
        pool.open()
        await self._until(lambda: pool.settled)
        pool.finish()
        await self._until(lambda: pool.over)
        self._pool = None
        if self._stopped:
            return CheckResult(check.name, Verdict.NOT_TESTED, detail=STOPPED)
        return _result(check, hellos[0], pool)

    def _changed(self) -> None:
        if self._waiting is not None and self._waiting[0]():
            (_, deferred), self._waiting = self._waiting, None
            deferred.callback(None)

    async def _until(self, condition: Callable[[], bool]) -> None:
        if not condition():
            deferred: Deferred[None] = Deferred()
            self._waiting = (condition, deferred)
            await deferred


def _result(check: HelloCheck, hello: SegmentedHello, pool: ConnectionPool) -> CheckResult:
    counters = pool.counters()
    (group,) = counters.groups or ("",)
    made = CheckResult(
        check.name,
        Verdict.PASSED,
        group=group,
        hello=hello.size,
        cut=check.cut if hello.was_cut else 0,
        retried=hello.retried,
    )
    if counters.failures:
        ((cause, _),) = counters.failed.items()
        detail = counters.details.get(cause, "")
        return replace(made, verdict=Verdict.FAILED, cause=cause, detail=detail)
    if check.cut and not hello.was_cut:
        why = f"the ClientHello has only {hello.size:,} bytes; it is longer with X25519MLKEM768"
        return replace(made, verdict=Verdict.NOT_TESTED, detail=why)
    if check.share and not hello.retried:
        return replace(made, verdict=Verdict.NOT_TESTED, detail=_no_retry(group, check.share))
    return made


def _no_retry(group: str, share: str) -> str:
    """Return why no HelloRetryRequest came, although the handshake succeeded."""
    if group == UNKNOWN:
        return "the server did not send one"
    if group.lower() == share.lower():
        return f"the server did not send one, as it wants the group {share}"
    return "the server did not send one, as it has no TLS 1.3"
