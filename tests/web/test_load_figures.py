from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.latencies import HANDSHAKE, ROUND_TRIP, Latencies
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.probe_result import PROBE
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_page import live_page
from tlsdemo.web.live_series import failure_texts
from tlsdemo.web.load_figures import LoadFigures


def latencies(name: str, *seconds: float) -> Latencies:
    found = Latencies()
    for each in seconds:
        found.record(name, each)
    return found


class LoadFiguresTests(SynchronousTestCase):
    def test_has_what_was_counted(self) -> None:
        figures = LoadFigures()
        self.assertEqual((figures.texts(), figures.groups()), ({}, {}))
        counters = LoadCounters(secured=2000, packets=5, sent=160, failed={"truncated": 2})
        figures.count("sending", counters, 12.34)
        expected = {
            "phase": "sending",
            "seconds": "12.3",
            "clients secured": "2,000",
            "clients failed": "2",
            "packets sent": "5",
            "cleartext sent": "160 bytes",
        }
        self.assertEqual(figures.texts(), expected)
        self.assertEqual(figures.groups(), {"Clients": {name: name for name in expected}})

    def test_has_rows_from_the_beginning_for_what_it_will_measure(self) -> None:
        figures = LoadFigures([HANDSHAKE, PROBE])
        self.assertEqual(list(figures.groups()), ["Handshake", "Probe"])
        texts = figures.texts()
        self.assertEqual((texts["handshake measured"], texts["probe p99"]), ("0", "-"))

    def test_has_the_percentiles_of_all_kinds_of_a_latency(self) -> None:
        figures = LoadFigures([HANDSHAKE])
        figures.measure(latencies(f"{HANDSHAKE}/X25519", *[0.010] * 9, 2.0))
        texts = figures.texts()
        self.assertEqual(
            [texts[f"handshake {each}"] for each in ("measured", "p50", "p90", "p99")],
            ["10", "10.0 ms", "10.0 ms", "2.0 s"],
        )

    def test_has_what_it_did_not_expect_in_its_place(self) -> None:
        figures = LoadFigures([HANDSHAKE, PROBE])
        figures.measure(latencies(ROUND_TRIP, 0.010))
        self.assertEqual(list(figures.groups()), ["Handshake", "Round trip", "Probe"])

    def test_has_the_probe_apart_from_the_round_trips_of_the_load(self) -> None:
        figures = LoadFigures([PROBE])
        figures.probe(latencies(ROUND_TRIP), ROUND_TRIP)
        self.assertEqual(figures.texts()["probe measured"], "0")
        figures.probe(latencies(ROUND_TRIP, 0.010), ROUND_TRIP)
        self.assertEqual(list(figures.groups()), ["Probe"])
        self.assertEqual(figures.texts()["probe p50"], "10.0 ms")


class OnThePage(SynchronousTestCase):
    def setUp(self) -> None:
        self.feed = LiveFeed("tlsdemo run", "A load.", Clock(), lambda: None)

    def test_the_clients_stand_beside_the_server(self) -> None:
        for name in ("starttls", "pair"):
            self.feed.add_series(name).load = LoadFigures([HANDSHAKE])
        self.feed.series["pair"].load.measure(latencies(HANDSHAKE, 0.010))
        page = live_page(self.feed)
        self.assertLess(page.index('<table id="load">'), page.index('<table id="server">'))
        self.assertIn('<td data-series="pair" data-figure="handshake p50">10.0 ms</td>', page)
        self.assertIn('<td data-series="starttls" data-figure="handshake p50">-</td>', page)

    def test_a_server_without_a_load_has_one_table(self) -> None:
        self.feed.add_series("pair")
        page = live_page(self.feed)
        self.assertEqual((page.count("<table"), page.count("<caption>")), (1, 0))

    def test_their_failures_are_told_from_those_of_the_server(self) -> None:
        load = self.feed.add_series("pair").load
        load.count("sending", LoadCounters(failed={"connect timeout": 1200}), 1.0)
        self.assertEqual(
            failure_texts(list(self.feed.series.values())),
            ["pair, clients: connect timeout: 1,200"],
        )
