from __future__ import annotations

from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from bench.chart import chart
from bench.measures import records
from bench.report import report
from bench.samples import Problem, Results, Sample
from bench.tables import NOT_COUNTED, NOT_IN_THIS, cell, rows, tables

CASES = [records.case_of(200, size) for size in (32, 1024)]


def results() -> Results:
    def sample(peer: str, case: str, number: int, cpu: float) -> Sample:
        return Sample(records.NAME, case, peer, number, {"cpu_us_a_record": cpu})

    return Results(
        {
            "command": "python -m bench", "rounds": 2, "versions": {"pair": {"Python": "3.11.7"}},
            "load before": [0.0, 0.0, 0.0], "processors": 2, "processor": "a processor",
            "kernel": "Linux", "python": "3.11.7", "commit": "0123456789ab", "at": "today",
        },
        {"pair": "tlsdemo, mode pair", "nginx": "its stream <module>", "node": "Node"},
        {records.NAME: CASES},
        [
            sample("pair", CASES[0], 1, 1.25),
            sample("pair", CASES[0], 2, 1.75),
            sample("nginx", CASES[0], 1, 0.5),
        ],
        [
            Problem(records.NAME, CASES[1], "pair", 1, "the proxy has ended", True),
            Problem(records.NAME, CASES[0], "node", 1, "there is no program node", False),
        ],
    )  # fmt: skip


class TablesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.results = results()
        self.tables = {each.title: each for each in tables(self.results)}
        self.table = self.tables["µs of CPU a record, 200 connections"]

    def text(self, column: int, peer: str) -> str:
        return cell(self.results, self.table, self.table.columns[column], peer).text

    def test_a_cell_is_the_median_and_the_extremes(self) -> None:
        self.assertEqual(self.text(0, "pair"), "1.50 (1.25 to 1.75)")
        self.assertEqual(self.text(0, "nginx"), "0.50")

    def test_a_cell_without_a_figure_says_why(self) -> None:
        self.assertEqual(self.text(1, "pair"), "the proxy has ended")
        self.assertEqual(self.text(0, "node"), "there is no program node")
        self.assertEqual(self.text(1, "nginx"), NOT_IN_THIS)

    def test_a_metric_that_a_peer_does_not_count_is_said_to_be_that(self) -> None:
        table = self.tables["bytes an event of the application, 200 connections"]
        self.assertEqual(cell(self.results, table, table.columns[0], "nginx").text, NOT_COUNTED)

    def test_only_peers_that_take_part_have_a_row(self) -> None:
        self.results.peers["stunnel"] = "takes part in something else"
        self.assertEqual(
            [peer for peer, _ in rows(self.results, self.table)], ["pair", "nginx", "node"]
        )


class ReportTests(SynchronousTestCase):
    def test_reasons_stand_below_their_table(self) -> None:
        text = report(results())
        self.assertIn("| pair  | 1.50 (1.25 to 1.75) |              [1] |", text)
        self.assertIn("[1] pair: the proxy has ended  \n", text)
        self.assertIn("[2] node: there is no program node", text)

    def test_only_faults_are_what_went_wrong(self) -> None:
        wrong = report(results()).partition("## What went wrong")[2]
        self.assertIn("pair: the proxy has ended", wrong)
        self.assertNotIn("node", wrong)


class ChartTests(SynchronousTestCase):
    def test_it_is_well_formed_and_has_a_bar_for_each_figure(self) -> None:
        root = ElementTree.fromstring(chart(results()))
        texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("pair", texts)
        self.assertIn("1.50", texts)
        # The best comes first.
        self.assertLess(texts.index("nginx"), texts.index("pair"))

    def test_a_variant_can_be_left_out(self) -> None:
        self.assertNotIn(">pair<", chart(results(), frozenset({"pair"})))

    def test_nothing_measured_is_no_error(self) -> None:
        ElementTree.fromstring(chart(Results({})))
