from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.event_comparison import EventComparison


def matrix(twisted: str, *server: str) -> dict[str, Any]:
    cells = [
        {"mode": "pair", "tls": "1.3", "way": way, "peer": "<us>", "server": [*events]}
        for way, events in (("ok", ("a",)), ("rst", ("a", *server)))
    ]
    return {"versions": {"Python": "3.11", "Twisted": twisted}, "cells": cells}


class TheAnswer(SynchronousTestCase):
    differs = EventComparison("old", matrix("26.10", "b"), matrix("25.5", "c"))
    same = EventComparison("old", matrix("26.10", "b"), matrix("25.5", "b"))

    def test_comes_first_and_the_versions_last(self) -> None:
        self.assertEqual(
            list(self.differs.lines()),
            [
                "1 of 2 connections differ from old.",
                "pair 1.3 rst <us>:",
                "  server, here:  a → b",
                "  server, there: a → c",
                "here:  Twisted 26.10",
                "there: Twisted 25.5",
                "both:  Python 3.11",
            ],
        )

    def test_is_one_sentence_if_nothing_differs(self) -> None:
        self.assertEqual(
            next(self.same.lines()), "No differences from old: 2 connections are alike."
        )

    def test_fits_the_columns_and_is_indented_where_it_is_wrapped(self) -> None:
        events = [f"event number {number}" for number in range(9)]
        long = EventComparison("old", matrix("1", *events), matrix("2"))
        lines = "\n".join(long.lines(width=60)).splitlines()
        self.assertLessEqual(max(map(len, lines)), 60)
        self.assertTrue(any(line.startswith(" " * 17 + "number") for line in lines), lines)

    def test_is_part_of_each_format(self) -> None:
        self.assertIn("1 of 2 connections differ", self.differs.as_markdown())
        self.assertIn("pair 1.3 rst &lt;us&gt;", self.differs.as_html())
        document = json.loads(json.dumps(self.differs.as_json()))
        self.assertEqual(document["name"], "old")
        self.assertEqual({each["cell"] for each in document["differences"]}, {"pair 1.3 rst <us>"})
