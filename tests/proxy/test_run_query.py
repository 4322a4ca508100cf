from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen import status_client
from tlsdemo.proxy.connection_registry import ConnectionTotals
from tlsdemo.proxy.run_query import MAX_PEERS, RunQuery
from tlsdemo.proxy.status_service import MAX_QUERY


def totals(peers: Iterable[str]) -> ConnectionTotals:
    """One byte of each peer."""
    count = len(list(peers))
    return ConnectionTotals(received=count, arrived=count, unknown=1)


class RunQueryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reports: list[tuple[str, int, ConnectionTotals]] = []
        self.query = RunQuery(totals, lambda *report: self.reports.append(report))

    def ask(self, count: int, **more: object) -> Any:
        query = {"name": "x", "sent": 9, "peers": ["192.0.2.1:1"] * count, **more}
        answer: Any = self.query(query)
        return answer["run"]

    def test_it_reports_the_totals_of_its_peers(self) -> None:
        self.assertEqual(self.ask(2)["received"], 2)
        self.assertEqual(self.reports, [("x", 9, ConnectionTotals(2, 2, 0, 0, 1))])

    def test_the_totals_of_several_parts_are_added_and_reported_with_the_last(self) -> None:
        self.assertEqual(self.ask(2, more=True)["arrived"], 2)
        self.assertEqual(self.ask(3, more=True)["arrived"], 5)
        self.assertEqual(self.reports, [])
        self.assertEqual(self.ask(1)["arrived"], 6)
        self.assertEqual(self.reports, [("x", 9, ConnectionTotals(6, 6, 0, 0, 3))])
        self.assertEqual(self.ask(1)["arrived"], 1)

    def test_a_long_name_is_cut_off(self) -> None:
        self.ask(1, name="n" * 101)
        self.assertEqual(self.reports[0][0], "n" * 100)

    def test_what_is_out_of_bounds_is_refused(self) -> None:
        for part, wrong in (
            ("name", 1),
            ("sent", "1"),
            ("sent", True),
            ("sent", -1),
            ("sent", 1.0),
            ("sent", float("nan")),
            ("sent", 1 << 63),
            ("sent", 10**4200),
            ("peers", [1]),
            ("peers", ["x" * 81]),
            ("peers", ["x"] * (MAX_PEERS + 1)),
            ("peers", "a"),
            ("peers", None),
        ):
            problem = self.assertRaises(ValueError, self.ask, 1, **{part: wrong})
            self.assertIn("peers are a list" if part == "peers" else "a run has", str(problem))
        self.assertEqual(self.reports, [])

    def test_the_greatest_query_of_a_load_client_is_accepted(self) -> None:
        # An IPv6 address with the name of its interface, and a port.
        peer = f"[{':'.join(['ffff'] * 8)}%{'i' * 15}]:65535"
        count = status_client.PEERS_PER_QUERY
        self.assertEqual(self.ask(0, peers=[peer] * count, sent=(1 << 63) - 1)["received"], count)
        name = "\N{SNAKE}" * 100
        query = {"ask": "run", "name": name, "sent": 1 << 63, "peers": [peer] * count, "more": True}
        self.assertLess(len(json.dumps(query)), MAX_QUERY)
