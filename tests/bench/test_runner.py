"""Rounds, and a real peer under a small load."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.child import CannotMeasure, Child, NotInstalled
from bench.load.pins import Pins
from bench.measures import records
from bench.measures.task import Found, Task
from bench.peers.catalogue import PEERS
from bench.plan import QUICK
from bench.runner import run_rounds
from bench.samples import Results
from bench.workbench import workbench

NOWHERE: Any = None


class RoundsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.results = Results({})
        self.order: list[str] = []

    def task(self, peer: str, problem: Exception | None = None) -> Task:
        def run(_: object) -> Iterator[tuple[str, Mapping[str, float]]]:
            self.order.append(peer)
            yield "first", {"cpu": 1.0}
            if problem is not None:
                raise problem
            yield "second", {"cpu": 2.0}

        return Task("records", ("first", "second"), peer, run)

    def run_tasks(self, *tasks: Task) -> None:
        run_rounds(tasks, 3, NOWHERE, self.results, lambda _: None)

    def test_rounds_are_interleaved(self) -> None:
        self.run_tasks(self.task("a"), self.task("b"))
        self.assertEqual(self.order, ["a", "b", "a", "b", "a", "b"])
        self.assertEqual(self.results.cases, {"records": ["first", "second"]})
        self.assertEqual(len(self.results.samples), 12)

    def test_some_are_measured_once(self) -> None:
        self.run_tasks(replace(self.task("a"), once=True), self.task("b"))
        self.assertEqual(self.order, ["a", "b", "b", "b"])

    def test_what_fails_is_not_tried_again_and_keeps_what_it_has(self) -> None:
        self.run_tasks(self.task("a", CannotMeasure("it has ended")), self.task("b"))
        self.assertEqual(self.order, ["a", "b", "b", "b"])
        self.assertEqual(self.results.median("records", "first", "a", "cpu"), 1.0)
        self.assertEqual(self.results.why_missing("records", "second", "a"), "it has ended")
        self.assertEqual(len(self.results.faults), 1)

    def test_what_is_not_installed_is_no_fault(self) -> None:
        self.run_tasks(self.task("a", NotInstalled("there is no program a")))
        self.assertEqual(self.results.faults, [])
        why = self.results.why_missing("records", "second", "a")
        self.assertEqual(why, "there is no program a")


class ChildTests(SynchronousTestCase):
    def child(self, program: str) -> Child:
        child = Child([sys.executable, "-c", program])
        self.addCleanup(child.stop)
        return child

    def test_it_answers_with_lines(self) -> None:
        child = self.child("print('{\"a\": 1}', flush=True); print('{\"a\": %s}' % input())")
        self.assertEqual(child.line(), {"a": 1})
        child.tell("2")
        self.assertEqual(child.line(), {"a": 2})

    def test_its_last_words_say_why_it_ended(self) -> None:
        child = self.child("raise SystemExit('no such certificate')")
        problem = self.assertRaises(CannotMeasure, child.line)
        self.assertEqual(str(problem), "no such certificate")

    def test_silence_is_bounded(self) -> None:
        child = self.child("input()")
        began = time.monotonic()
        self.assertRaises(CannotMeasure, child.line, 0.01)
        self.assertLess(time.monotonic() - began, 5.0)

    def test_a_missing_program_is_named(self) -> None:
        child = Child(["no-such-program"])
        self.addCleanup(child.stop)
        problem = self.assertRaises(CannotMeasure, child.line)
        self.assertIn("no-such-program", str(problem))


class MeasuredTests(SynchronousTestCase):
    def test_every_record_of_a_real_peer_arrives(self) -> None:
        plan = replace(
            QUICK, record_sizes=(32,), record_connections=(2,), records=200, records_each=1
        )
        with workbench(30.0) as bench:
            (task,) = records.tasks(plan, [PEERS["pair"]])
            ((case, metrics),) = task.run(bench)
        self.assertEqual(case, "2 of 32 B")
        self.assertGreater(metrics["cpu_us_a_record"], 0.0)
        # An event has several records, which is what this delivery is for.
        self.assertGreater(metrics["bytes_an_event"], 32.0)

    def test_a_peer_that_accepts_anybody_is_not_measured(self) -> None:
        peer = PEERS["twisted-stock"]
        lax = replace(peer, start=lambda setup: peer.start(replace(setup, client_auth=False)))

        def go() -> Found:
            with workbench(30.0) as bench, bench.running(lax, 1, Pins()):
                yield "never", {}

        problem = self.assertRaises(CannotMeasure, list, go())
        self.assertIn("without a certificate", str(problem))
