from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import interval
from tlsdemo.reporting.interval import COLUMNS, csv_row, csv_text
from tlsdemo.reporting.latencies import HANDSHAKE, NAMES
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.window_result import WorkerLoad

PREFIXES = [f"{name.replace(' ', '_')}_" for name in NAMES if name != HANDSHAKE]

DOCS = Path(__file__).resolve().parents[2] / "docs" / "load.md"


class Rows(SynchronousTestCase):
    def rows(self, *rows: list[str]) -> list[dict[str, str]]:
        return [*csv.DictReader(io.StringIO(csv_text([COLUMNS, *rows])))]

    def test_have_what_was_counted_and_measured(self) -> None:
        measured = interval(3.0)
        (row,) = self.rows(csv_row(2, measured))
        self.assertEqual(
            [row[name] for name in ("run", "at", "seconds", "phase", "window", "rate", "secured")],
            ["2", "3.000", "1.000", "sending", "1", "50", "49"],
        )
        found = measured.latencies[HANDSHAKE]
        self.assertEqual(row["handshake_count"], "20")
        self.assertAlmostEqual(float(row["handshake_p99_ms"]), found.p99 * 1000, places=3)
        self.assertAlmostEqual(float(row["handshake_mean_ms"]), found.mean * 1000, places=3)

    def test_are_empty_where_something_was_not_measured(self) -> None:
        (row,) = self.rows(csv_row(1, interval(3.0, rate=0.0, latencies={}, workers=())))
        unknown = {row[name] for name in ("rate", "worker_lag_ms", "round_trip_p50_ms")}
        self.assertEqual((unknown, row["worker_cpu"]), ({""}, "0.000"))

    def test_have_the_busiest_worker_and_the_failures_of_all_causes(self) -> None:
        counters = LoadCounters(failed={"truncated": 2, "reset": 3})
        workers = (WorkerLoad(0.25, 0.004), WorkerLoad(0.5, 0.002))
        (row,) = self.rows(csv_row(1, interval(3.0, counters=counters, workers=workers)))
        names = ("failed", "worker_cpu", "worker_lag_ms")
        self.assertEqual([row[name] for name in names], ["5", "0.500", "4.000"])

    def test_have_columns_that_are_documented(self) -> None:
        text = DOCS.read_text()
        for name in COLUMNS:
            latency = next((each for each in PREFIXES if name.startswith(each)), "")
            # Those of one latency are listed, the others begin likewise.
            written = f"{latency}\N{HORIZONTAL ELLIPSIS}" if latency else name
            self.assertIn(f"`{written}`", text)


class AsJSON(SynchronousTestCase):
    def test_has_the_same(self) -> None:
        written = json.loads(json.dumps(interval(3.0).as_json()))
        self.assertEqual((written["at"], written["secured"], written["rate"]), (3.0, 49, 50.0))
        self.assertEqual(
            written["workers"], [{"cpu": 0.25, "lag": 0.001}, {"cpu": 0.5, "lag": 0.002}]
        )
        self.assertEqual(written["latencies"]["handshake"]["count"], 20)
        self.assertIsNone(interval(3.0, rate=0.0).as_json()["rate"])

    def test_an_interval_without_length_has_no_rates(self) -> None:
        self.assertEqual(interval(3.0, seconds=0.0).per_second(5), 0.0)
        self.assertEqual(interval(3.0, seconds=2.0).per_second(5), 2.5)
