"""Workers in memory, whose answers to their parent's pages a test decides."""

from __future__ import annotations

import json
from typing import Any

from tests.net.fake_processes import FakeProcess
from tests.proxy.test_workers import WorkersCase
from tlsdemo.metrics.figures import Agreed, Figures
from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.web.connection_list import ListedConnection
from tlsdemo.web.worker_questions import WorkerQuestions


def some_figures(handshakes: int, **states: int) -> Figures:
    """Figures after so many handshakes of 0.25 s."""
    found = Figures(states, agreed={Agreed("TLSv1.3", "X25519", False): handshakes})
    for _ in range(handshakes):
        found.handshakes.add(0.25)
        found.upgrades.add(0.125)
        found.lag.add(0.5)
    return found


def listed(number: int, at: float) -> ListedConnection:
    return ListedConnection(number, f"192.0.2.1:{number}", "12:00:00", "connected", 1, at)


class WorkersPagesCase(WorkersCase):
    def setUp(self) -> None:
        super().setUp()
        self.figures = WorkersFigures(self.workers, self.settings)
        self.questions = WorkerQuestions(lambda: self.workers.processes, self.figures, self.reactor)
        self.workers.on_start(self.questions.started)
        self.workers.on_end(self.questions.ended)
        # Nobody else asks.
        self.workers._looping.stop()
        self.workers._checking.stop()

    def questions_of(self, process: FakeProcess) -> list[Any]:
        """What the process was asked for the pages."""
        return [each for each in self.asked(process) if each["ask"] in ("page", "connection")]

    def tell(self, process: FakeProcess, handshakes: int, took: float = 0.001, **more: Any) -> None:
        """Answer the question of the pages."""
        states = {"open": more.pop("open", 0)}
        self.answer(process, **{**answer_of(handshakes, states, took), **more})

    def refreshed(self, *handshakes: int, **more: Any) -> None:
        """Refresh, and answer for each worker that runs, in their order."""
        done = self.questions.refresh()
        running = [each for each in self.processes if each.pid is not None]
        for process, number in zip(running, handshakes, strict=True):
            self.tell(process, number, **more)
        self.successResultOf(done)


def answer_of(handshakes: int, states: dict[str, int], took: float) -> dict[str, Any]:
    """The answer of a worker to the question for a page."""
    counters = Snapshot(
        opened=handshakes, secured=handshakes, cpu=handshakes, lag=0.5, open=states.get("open", 0)
    )
    answer = {
        "statistics": counters.as_json(),
        "figures": some_figures(handshakes, **states).as_json(),
        "changes": 0,
        "took": took,
    }
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found
