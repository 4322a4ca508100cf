"""A controller whose workers and server are played by the test."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, FakeStatus, FakeWorker, task
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.controller import Controller, LoadPhase
from tlsdemo.loadgen.plan import Plan, steps
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.worker_pool import SILENT_WITHIN
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.reporting.snapshot import Snapshot

STATUS = "tcp:192.0.2.1:8898"
DURATION = 10.0
TIMEOUT = 60.0
DRAINED = {"received": 0, "arrived": 0, "open": 0, "failed": 0, "unknown": 0}


class ControllerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        self.server = FakeStatus({"statistics": self.statistics, "run": self.counts})
        self.connections_opened = 0
        self.drained: dict[str, int] = dict(DRAINED)
        self.progress: list[tuple[LoadPhase, LoadCounters, float]] = []
        self._result: RunResult | None = None

    def statistics(self, _request: object) -> object:
        snapshot = Snapshot(at=self.reactor.seconds(), opened=self.connections_opened)
        return {"statistics": snapshot.as_json()}

    def counts(self, _request: object) -> object:
        return {"run": self.drained}

    def begin(
        self,
        connections: int = 4,
        workers: int = 2,
        status: str | None = None,
        reactor: FakeReactor | None = None,
        probe: Any = None,
        rates: Sequence[float] = (0.0,),
        plan: Plan | None = None,
        also: tuple[Task, ...] = (),
        **changes: Any,
    ) -> Controller:
        self.reactor = reactor or self.reactor
        whole = task(connections=connections, timeout=TIMEOUT, **changes)
        controller = Controller(
            self.reactor, "name", [whole, *also], workers,
            plan or steps(rates, Window(seconds=DURATION)), status,
            lambda *seen: self.progress.append(seen), probe=probe,
        )  # fmt: skip
        running: Coroutine[Deferred[Any], Any, RunResult] = controller.run()
        self.running = Deferred.fromCoroutine(running)
        return controller

    def begin_with_status(self, **changes: Any) -> Controller:
        """Begin with a status service that answers."""
        controller = self.begin(status=STATUS, **changes)
        (attempt,) = self.reactor.attempts()
        self.server.accept(attempt)
        return controller

    @property
    def workers(self) -> list[FakeWorker]:
        return self.reactor.processes

    def report(self, state: str, **report: Any) -> None:
        for worker in self.workers:
            worker.report(state, **report)

    def pass_time(self, seconds: float) -> None:
        """Let time pass while the workers report that nothing has changed."""
        end = self.reactor.seconds() + seconds
        while (left := end - self.reactor.seconds()) > 0:
            for worker in self.workers:
                if worker.last_report:
                    worker.report_again()
            self.reactor.advance(min(left, SILENT_WITHIN / 2))

    def commands(self) -> list[str]:
        """The commands that were sent to each worker, the same to all."""
        one, *others = [worker.commands for worker in self.workers]
        self.assertEqual(others, [one] * len(others))
        return one

    def to_sending(self) -> None:
        self.report("ready")
        self.report("settled", begun=2, secured=2)

    def to_draining(self) -> None:
        self.to_sending()
        self.reactor.advance(DURATION)

    def to_over(self, sent: int = 0, clean: int = 2) -> None:
        self.to_draining()
        self.end(sent, clean)

    def end(self, sent: int = 0, clean: int = 2) -> None:
        for number, worker in enumerate(self.workers):
            counters: dict[str, Any] = {"begun": 2, "secured": 2, "clean": clean, "sent": sent}
            worker.report("over", peers=[f"127.0.0.1:{number}"], **counters)

    def result(self) -> RunResult:
        if self._result is None:
            self._result = self.successResultOf(self.running)
        return self._result

    def phases(self) -> list[LoadPhase]:
        seen = [phase for phase, _, _ in self.progress]
        return [
            phase for phase, before in zip(seen, [None, *seen], strict=False) if phase != before
        ]
