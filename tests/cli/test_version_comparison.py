"""``tlsdemo run --against``: the load with several versions, in turn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from twisted.internet.defer import Deferred, succeed

from tests.cli.comparison_case import (
    INTERRUPTED,
    ComparisonCase,
    ScriptedReactor,
    result,
)
from tlsdemo.cli.launched_server import Place
from tlsdemo.cli.load_comparison import CandidateServer, LoadComparison
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.run_result import RunResult


class Against(ComparisonCase):
    PLACE = Place("/other/python", {"PYTHONPATH": "/other"})

    def options(self, *arguments: str) -> RunOptions:
        return super().options("--against=twisted==24.7.0", *arguments)

    def run_(self, *arguments: str) -> int:
        self.reactor = ScriptedReactor(lambda: self.script())
        console = Console(file=self.printed, width=200)
        candidate = CandidateServer("twisted==24.7.0", {"Twisted": "24.7.0"}, self.PLACE)
        return LoadComparison(
            self.reactor,
            self.options(*arguments),
            console,
            [candidate],
            Progress(Console(file=self.progress)),
        ).run()

    def test_the_runs_are_interleaved_each_with_its_own_server(self) -> None:
        self.assertEqual(self.run_("--rounds=2", "--mode=pair", "--mode=clear"), 0)
        baseline, candidate = None, self.PLACE
        self.assertEqual(
            [(server.arguments[0], server.place) for server in self.servers],
            [
                *(("--mode=pair", baseline), ("--mode=pair", candidate)),
                *(("--mode=clear", baseline), ("--mode=clear", candidate)),
                *(("--mode=pair", candidate), ("--mode=pair", baseline)),
                *(("--mode=clear", candidate), ("--mode=clear", baseline)),
            ],
        )
        self.assertEqual([server.log[-1] for server in self.servers], ["stop"] * 8)

    def test_the_load_is_the_same_for_baseline_and_candidate(self) -> None:
        self.run_("--rounds=1", "--mode=pair")
        one, other = (replace(load.task, connect="") for load in self.loads)
        self.assertEqual(one, other)

    def test_it_shows_each_run_the_costs_and_the_versions(self) -> None:
        self.run_("--rounds=2", "--mode=pair")
        text = self.printed.getvalue()
        self.assertIn("pair, baseline, 1 of 2: server CPU unknown", text)
        self.assertIn("pair, twisted==24.7.0, 2 of 2: server CPU unknown", text)
        self.assertIn("packets of 32 B; candidate: twisted==24.7.0", text)
        self.assertIn("1.00 (1.00 to 1.00): no significant difference", text)
        self.assertIn("baseline: Python", text)
        self.assertIn("candidate: Twisted 24.7.0\n", text)

    def test_a_run_that_lost_bytes_is_shown_in_full_and_fails(self) -> None:
        self.going = lambda name: succeed(result(name, lost=3))
        self.assertEqual(self.run_("--rounds=1", "--mode=pair"), 1)
        self.assertIn("pair, baseline, 1 of 1: run pair: sent 100, received 97, lost 3 bytes",
                      self.printed.getvalue())  # fmt: skip

    def test_all_results_are_written_as_json(self) -> None:
        path = Path(self.mktemp())
        self.run_("--rounds=2", "--mode=pair", f"--json={path}")
        written = json.loads(path.read_text())
        self.assertEqual(written["runs"], [result("pair").as_json()] * 2)
        (against,) = written["against"]
        self.assertEqual(against["name"], "twisted==24.7.0")
        self.assertEqual(against["versions"], {"Twisted": "24.7.0"})
        self.assertEqual(against["runs"], written["runs"])
        self.assertIn("MB/s", [each["figure"] for each in against["differences"]])

    def test_the_page_has_every_run_by_its_own_title(self) -> None:
        path = Path(self.mktemp())
        self.run_("--rounds=2", "--mode=pair", f"--html={path}")
        page = path.read_text(encoding="utf-8")
        for title in ("baseline 1", "baseline 2", "twisted==24.7.0 1", "twisted==24.7.0 2"):
            self.assertTrue(f"<h3>pair, {title}</h3>" in page, title)

    def test_when_interrupted_it_shows_the_results(self) -> None:
        done: Deferred[RunResult] = Deferred()
        self.going = lambda _: done

        def script() -> None:
            (stopping,) = self.reactor.interrupt()
            done.callback(result("pair"))
            self.successResultOf(stopping)

        self.script = script
        self.assertEqual(self.refused(self.run_, 1), INTERRUPTED)
        self.assertEqual(len(self.servers), 1)
        self.assertIn("unknown", self.printed.getvalue())
