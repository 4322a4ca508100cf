from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_differences import EventDifference, event_differences

CELL = {"mode": "starttls", "tls": "1.3", "way": "ok", "peer": "twisted", "race": False}
NAME = "starttls 1.3 ok twisted"


def matrix(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"versions": {}, "cells": [{**CELL, **cell} for cell in cells]}


class Case(SynchronousTestCase):
    def differences(
        self, baseline: dict[str, Any], candidate: dict[str, Any]
    ) -> list[EventDifference]:
        return list(event_differences(baseline, candidate))

    def check(self, baseline: dict[str, Any], candidate: dict[str, Any], *expected: str) -> None:
        found = self.differences(matrix(baseline), matrix(candidate))
        self.assertEqual([str(each) for each in found], [f"{NAME}, {each}" for each in expected])


class InACell(Case):
    def test_the_same_events_are_no_difference(self) -> None:
        same = {"server": ["a", "b", "a"], "client": ["c"], "wire": ["ClientHello"]}
        self.check(same, dict(same))

    def test_an_added_event_is_reported_with_the_one_before_it(self) -> None:
        self.check({"server": ["a", "b"]}, {"server": ["a", "x", "b"]},
                   "server: only in the candidate: x (after a)")  # fmt: skip

    def test_a_removed_event_is_reported_with_the_one_before_it(self) -> None:
        self.check({"client": ["a", "b"]}, {"client": ["b"]},
                   "client: only in the baseline: a (at the start)")  # fmt: skip

    def test_repetitions_of_an_event_are_counted(self) -> None:
        self.check({"wire": ["a", "b"]}, {"wire": ["a", "b", "a", "a"]},
                   "wire: only in the candidate: a (after b)",
                   "wire: only in the candidate: a (after a)")  # fmt: skip

    def test_a_different_order_is_reported_with_both_orders(self) -> None:
        self.check({"server": ["a", "b", "c"]}, {"server": ["b", "a", "c"]},
                   "server: in a different order: baseline a, b, c; candidate b, a, c")  # fmt: skip

    def test_an_added_event_does_not_make_the_order_of_the_others_different(self) -> None:
        self.check({"server": ["a", "b", "c"]}, {"server": ["x", "a", "b", "c"]},
                   "server: only in the candidate: x (at the start)")  # fmt: skip

    def test_an_added_event_and_a_different_order_are_both_reported(self) -> None:
        self.check({"server": ["a", "b"]}, {"server": ["b", "x", "a"]},
                   "server: only in the candidate: x (after b)",
                   "server: in a different order: baseline a, b; candidate b, a")  # fmt: skip

    def test_the_order_of_a_race_is_no_difference_but_an_added_event_is(self) -> None:
        baseline, candidate = {"server": ["a", "b"]}, {"server": ["b", "a", "x"]}
        expected = "server: only in the candidate: x (after a)"
        self.check({**baseline, "race": True}, candidate, expected)
        self.check(baseline, {**candidate, "race": True}, expected)

    def test_all_lifelines_are_compared(self) -> None:
        self.check({}, {"wire": ["w"], "client": ["c"], "server": ["s"]},
                   *(f"{line}: only in the candidate: {line[0]} (at the start)"
                     for line in ("server", "client", "wire")))  # fmt: skip

    def test_events_that_are_objects_are_compared_by_their_names(self) -> None:
        self.check({"server": [{"name": "a", "at": 1.0}]}, {"server": [{"name": "a", "at": 2.0}]})
        self.check({"server": [{"name": "a"}]}, {"server": [{"name": "b"}]},
                   "server: only in the baseline: a (at the start)",
                   "server: only in the candidate: b (at the start)")  # fmt: skip


class OfCells(Case):
    def test_those_on_one_side_only_are_reported(self) -> None:
        found = self.differences(matrix({"way": "x"}, {}), matrix({}, {"way": "y"}))
        self.assertEqual(
            [str(each) for each in found],
            [
                "starttls 1.3 x twisted: cell only in the baseline",
                "starttls 1.3 y twisted: cell only in the candidate",
            ],
        )

    def test_those_of_the_candidate_keep_their_order(self) -> None:
        scenarios = [f"scenario {number}" for number in range(20)]
        found = self.differences(matrix(), matrix(*({"way": scenario} for scenario in scenarios)))
        self.assertEqual(
            [each.cell for each in found], [f"starttls 1.3 {w} twisted" for w in scenarios]
        )

    def test_a_cell_without_a_peer_is_named_after_its_other_fields(self) -> None:
        (found,) = self.differences(matrix({"peer": None}), matrix())
        self.assertEqual(found.cell, "starttls 1.3 ok")
