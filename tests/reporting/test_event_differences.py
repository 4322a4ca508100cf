from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_differences import EventDifference, event_differences

CELL = {"mode": "starttls", "tls": "1.3", "way": "ok", "peer": "twisted", "race": False}
NAME = "starttls 1.3 ok twisted"


def matrix(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"versions": {}, "cells": [{**CELL, **cell} for cell in cells]}


class Case(SynchronousTestCase):
    def differences(self, here: dict[str, Any], there: dict[str, Any]) -> list[EventDifference]:
        return list(event_differences(here, there))

    def check(self, here: dict[str, Any], there: dict[str, Any], *expected: str) -> None:
        found = self.differences(matrix(here), matrix(there))
        self.assertEqual([str(each) for each in found], [f"{NAME}, {each}" for each in expected])


class InACell(Case):
    def test_the_same_events_are_no_difference(self) -> None:
        same = {"server": ["a", "b", "a"], "client": ["c"], "wire": ["ClientHello"]}
        self.check(same, dict(same))

    def test_an_event_more_is_told_with_what_came_before_it(self) -> None:
        self.check({"server": ["a", "b"]}, {"server": ["a", "x", "b"]},
                   "server: only there: x (after a)")  # fmt: skip

    def test_an_event_less_is_told_with_what_came_before_it(self) -> None:
        self.check({"client": ["a", "b"]}, {"client": ["b"]},
                   "client: only here: a (at the beginning)")  # fmt: skip

    def test_each_time_that_an_event_happens_counts(self) -> None:
        self.check({"wire": ["a", "b"]}, {"wire": ["a", "b", "a", "a"]},
                   "wire: only there: a (after b)", "wire: only there: a (after a)")  # fmt: skip

    def test_another_order_is_told_with_both(self) -> None:
        self.check({"server": ["a", "b", "c"]}, {"server": ["b", "a", "c"]},
                   "server: in another order: here a, b, c; there b, a, c")  # fmt: skip

    def test_an_event_more_does_not_make_another_order_of_the_rest(self) -> None:
        self.check({"server": ["a", "b", "c"]}, {"server": ["x", "a", "b", "c"]},
                   "server: only there: x (at the beginning)")  # fmt: skip

    def test_an_event_more_and_another_order_are_both_told(self) -> None:
        self.check({"server": ["a", "b"]}, {"server": ["b", "x", "a"]},
                   "server: only there: x (after b)",
                   "server: in another order: here a, b; there b, a")  # fmt: skip

    def test_of_a_race_the_order_is_no_difference_but_an_event_more_is(self) -> None:
        here, there = {"server": ["a", "b"]}, {"server": ["b", "a", "x"]}
        expected = "server: only there: x (after a)"
        self.check({**here, "race": True}, there, expected)
        self.check(here, {**there, "race": True}, expected)

    def test_every_lifeline_is_looked_at_in_its_order(self) -> None:
        self.check({}, {"wire": ["w"], "client": ["c"], "server": ["s"]},
                   *(f"{line}: only there: {line[0]} (at the beginning)"
                     for line in ("server", "client", "wire")))  # fmt: skip

    def test_events_that_are_objects_are_told_apart_by_their_names(self) -> None:
        self.check({"server": [{"name": "a", "at": 1.0}]}, {"server": [{"name": "a", "at": 2.0}]})
        self.check({"server": [{"name": "a"}]}, {"server": [{"name": "b"}]},
                   "server: only here: a (at the beginning)",
                   "server: only there: b (at the beginning)")  # fmt: skip


class OfCells(Case):
    def test_those_on_one_side_only_are_told(self) -> None:
        found = self.differences(matrix({"way": "x"}, {}), matrix({}, {"way": "y"}))
        self.assertEqual(
            [str(each) for each in found],
            ["starttls 1.3 x twisted: cell only here", "starttls 1.3 y twisted: cell only there"],
        )

    def test_those_only_there_keep_their_order(self) -> None:
        scenarios = [f"way {number}" for number in range(20)]
        found = self.differences(matrix(), matrix(*({"way": scenario} for scenario in scenarios)))
        self.assertEqual(
            [each.cell for each in found], [f"starttls 1.3 {w} twisted" for w in scenarios]
        )

    def test_a_cell_without_a_peer_is_called_by_the_rest(self) -> None:
        (found,) = self.differences(matrix({"peer": None}), matrix())
        self.assertEqual(found.cell, "starttls 1.3 ok")


class AsJson(Case):
    def test_it_tells_where_how_and_in_words(self) -> None:
        (found,) = self.differences(matrix({"server": []}), matrix({"server": ["a"]}))
        self.assertEqual(
            found.as_json(),
            {"cell": NAME, "kind": "only there", "lifeline": "server", "text": str(found)},
        )
        (found,) = self.differences(matrix(), matrix({}))
        self.assertIsNone(found.as_json()["lifeline"])
