from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.gate.matrices import cell, findings, matrix
from tlsdemo.gate.gate_run import PARTS, changes_between, observations


class Side:
    """An environment, whose results of a part change from run to run."""

    def __init__(self, **results: list[Any]) -> None:
        self.results = results
        self.commands: list[Sequence[str]] = []

    def __call__(self, arguments: Sequence[str]) -> Any:
        self.commands.append(arguments)
        left = self.results[arguments[0]]
        return left.pop(0) if len(left) > 1 else left[0]


class TheGate(SynchronousTestCase):
    def changes(self, part: str, here: Side, there: Side) -> list[str]:
        baseline, candidate = observations(here, [part]), observations(there, [part])
        return [each.what for each in changes_between(baseline, candidate, here, there)]

    def test_what_differs_each_time_has_changed(self) -> None:
        here = Side(events=[matrix(cell("RST", ["a"]), cell("wrong name", ["a"]))])
        there = Side(events=[matrix(cell("RST", ["b"]), cell("wrong name", ["b"]))])
        self.assertEqual(self.changes("events", here, there), ["server"])
        self.assertEqual(len(here.commands), 3)
        self.assertEqual(
            here.commands[1][-3:], ("--times=3", "--scenario=RST", "--scenario=wrong name")
        )
        self.assertEqual(here.commands, there.commands)

    def test_what_differs_only_sometimes_has_not(self) -> None:
        here = Side(events=[matrix(cell(server=["a"]))])
        there = Side(events=[matrix(cell(server=[name])) for name in "bba"])
        self.assertEqual(self.changes("events", here, there), [])

    def test_what_is_alike_is_not_tried_again(self) -> None:
        here = Side(findings=[findings(a="still so")])
        self.assertEqual(self.changes("findings", here, here), [])
        self.assertEqual(len(here.commands), 2)

    def test_findings_are_tried_again_by_name(self) -> None:
        here = Side(findings=[findings(a="still so", b="still so")])
        there = Side(findings=[findings(a="cannot tell", b="still so"), findings(a="still so")])
        self.assertEqual(self.changes("findings", here, there), [])
        self.assertEqual(here.commands[1], ("findings", "--format=json", "a"))

    def test_what_is_seen_in_memory_needs_no_second_try(self) -> None:
        here, there = Side(gate=[matrix(cell(server=["a"]))]), Side(gate=[matrix(cell())])
        self.assertEqual(self.changes("stock", here, there), ["server"])
        self.assertEqual(here.commands, [PARTS["stock"].arguments])

    def test_bytes_are_a_part_of_the_events(self) -> None:
        here, there = (Side(events=[matrix(cell(sizes=[("server", size)]))]) for size in (10, 20))
        self.assertEqual(self.changes("events", here, there), ["bytes that a server sends"])
