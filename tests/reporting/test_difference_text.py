from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.difference_text import event_lines, version_lines
from tlsdemo.reporting.event_differences import event_differences


def matrix(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"mode": "pair", "tls": "1.3", "peer": "tlsdemo", **cell} for cell in cells]}


class TheEventLines(SynchronousTestCase):
    def lines(self, baseline: dict[str, Any], candidate: dict[str, Any]) -> list[str]:
        return list(event_lines(event_differences(baseline, candidate), baseline, candidate))

    def test_are_none_without_differences(self) -> None:
        same = matrix({"way": "ok", "server": ["a"]})
        self.assertEqual(self.lines(same, same), [])

    def test_show_a_lifeline_on_both_sides_once_for_all_cells_that_have_it(self) -> None:
        baseline = matrix(*({"way": way, "server": ["a", "b", "b"]} for way in ("x", "y")))
        candidate = matrix(*({"way": way, "server": []} for way in ("x", "y")))
        self.assertEqual(
            self.lines(baseline, candidate),
            [
                "pair 1.3 x tlsdemo; pair 1.3 y tlsdemo:",
                "  server, here:  a → b (2 times)",
                "  server, there: no events",
            ],
        )

    def test_name_a_few_of_many_cells(self) -> None:
        ways = [str(number) for number in range(8)]
        first, *_ = self.lines(
            matrix(*({"way": way, "server": ["a"]} for way in ways)),
            matrix(*({"way": way, "server": ["b"]} for way in ways)),
        )
        self.assertTrue(first.endswith("pair 1.3 5 tlsdemo; and 2 more:"), first)

    def test_show_which_side_has_a_cell(self) -> None:
        self.assertEqual(
            self.lines(matrix({"way": "x"}), matrix({"way": "y"})),
            [
                "pair 1.3 x tlsdemo:",
                "  cell, here:  present",
                "  cell, there: absent",
                "pair 1.3 y tlsdemo:",
                "  cell, here:  absent",
                "  cell, there: present",
            ],
        )

    def test_begin_where_the_sequences_part_unless_details_are_wanted(self) -> None:
        baseline = matrix({"way": "x", "server": ["a", "b", "c"], "wire": ["1"]})
        candidate = matrix({"way": "x", "server": ["a", "b", "d"], "wire": ["2"]})
        found = list(event_differences(baseline, candidate))
        self.assertEqual(
            list(event_lines(found, baseline, candidate)),
            ["pair 1.3 x tlsdemo:", "  server, here:  … → b → c", "  server, there: … → b → d"],
        )
        lines = list(event_lines(found, baseline, candidate, details=True))
        self.assertIn("  server, here:  a → b → c", lines)
        self.assertIn("  wire, there: 2", lines)

    def test_show_the_records_if_nothing_else_differs(self) -> None:
        lines = self.lines(matrix({"way": "x", "wire": ["1"]}), matrix({"way": "x", "wire": ["2"]}))
        self.assertIn("  wire, here:  1", lines)


class TheVersionLines(SynchronousTestCase):
    def test_name_the_versions_of_each_side(self) -> None:
        self.assertEqual(
            list(version_lines({"Twisted": "26.10.0"}, {"Twisted": "24.7.0"})),
            ["baseline: Twisted 26.10.0", "candidate: Twisted 24.7.0"],
        )
